"""The embedded world: Kubernetes, load balancer and metrics servers on loopback around one seeded model."""
