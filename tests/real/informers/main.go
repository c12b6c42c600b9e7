// Informers holds every node and pod of a cluster the way client-go does it, and says what that takes.
//
//	informers -kubeconfig FILE -context NAME -way typed|dynamic|metadata
//
// Once both caches are in step it prints one line of JSON: seconds since the start, what is held, resident memory and its peak in
// bytes. Then each line on its standard input gets another such line; it ends with its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

var (
	nodes = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	pods  = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

type figures struct {
	Seconds  float64 `json:"seconds"`
	Nodes    int     `json:"nodes"`
	Pods     int     `json:"pods"`
	Resident int64   `json:"resident"`
	Peak     int64   `json:"peak"`
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the kubeconfig")
	name := flag.String("context", "", "its context")
	way := flag.String("way", "typed", "typed, dynamic or metadata")
	flag.Parse()
	began := time.Now()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: *kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: *name},
	).ClientConfig()
	check(err)
	found, err := both(*way, config)
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, one := range found {
		go one.Run(ctx.Done())
	}
	if !cache.WaitForCacheSync(ctx.Done(), found[0].HasSynced, found[1].HasSynced) {
		check(fmt.Errorf("the caches were never in step"))
	}
	say(began, found)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		say(began, found)
	}
}

// both are the informers for nodes and pods.
func both(way string, config *rest.Config) ([2]cache.SharedIndexInformer, error) {
	switch way {
	case "typed":
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return [2]cache.SharedIndexInformer{}, err
		}
		made := informers.NewSharedInformerFactory(client, 0).Core().V1()
		return [2]cache.SharedIndexInformer{made.Nodes().Informer(), made.Pods().Informer()}, nil
	case "dynamic":
		client, err := dynamic.NewForConfig(config)
		if err != nil {
			return [2]cache.SharedIndexInformer{}, err
		}
		made := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
		return [2]cache.SharedIndexInformer{made.ForResource(nodes).Informer(), made.ForResource(pods).Informer()}, nil
	case "metadata":
		client, err := metadata.NewForConfig(config)
		if err != nil {
			return [2]cache.SharedIndexInformer{}, err
		}
		made := metadatainformer.NewSharedInformerFactory(client, 0)
		return [2]cache.SharedIndexInformer{made.ForResource(nodes).Informer(), made.ForResource(pods).Informer()}, nil
	}
	return [2]cache.SharedIndexInformer{}, fmt.Errorf("-way is typed, dynamic or metadata, not %q", way)
}

func say(began time.Time, found [2]cache.SharedIndexInformer) {
	said := figures{Seconds: time.Since(began).Seconds(), Resident: status("VmRSS:"), Peak: status("VmHWM:")}
	said.Nodes, said.Pods = len(found[0].GetStore().ListKeys()), len(found[1].GetStore().ListKeys())
	check(json.NewEncoder(os.Stdout).Encode(said))
}

// status is one figure of this process, in bytes.
func status(name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	check(err)
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); len(words) == 3 && words[0] == name {
			kilobytes, err := strconv.ParseInt(words[1], 10, 64)
			check(err)
			return kilobytes * 1024
		}
	}
	return 0
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
