"""Packages that are known to bring native code, and what usually helps.

Source: the Graviton migration runbook, "Common native offenders and their typical resolution", with the names that the same code
goes by in each ecosystem.
"""

from __future__ import annotations

from collections.abc import Mapping

PYTHON: Mapping[str, str] = {
    "grpcio": "pin a version with an aarch64 manylinux wheel",
    "grpcio-tools": "pin a version with an aarch64 manylinux wheel",
    "cryptography": "unpin the old version (current ones ship aarch64 wheels), or build it with a Rust toolchain and OpenSSL",
    "numpy": "take a recent version: its aarch64 wheels are there",
    "scipy": "take a recent version: its aarch64 wheels are there",
    "pandas": "take a recent version: its aarch64 wheels are there",
    "psycopg2": "use psycopg2-binary's aarch64 wheel, or build it with libpq",
    "lxml": "take a recent version, or build it with libxml2 and libxslt",
    "pillow": "take a recent version, or build it with libjpeg and zlib",
    "confluent-kafka": "take a version with an aarch64 wheel, or build librdkafka",
    "python-pkcs11": "get the vendor's aarch64 PKCS#11 library, or keep the tier on x86",
    "pykcs11": "get the vendor's aarch64 PKCS#11 library, or keep the tier on x86",
}
"""What helps with a Python package, by its normal name."""

_REBUILD = "npm rebuild on an arm64 runner, and check the addon's architecture in the image"
NPM: Mapping[str, str] = {
    "sharp": "its arm64 prebuilt is available: install on arm64, or npm install --os=linux --cpu=arm64 sharp",
    "bcrypt": _REBUILD,
    "argon2": _REBUILD,
    "re2": f"{_REBUILD}; prefer a pure JavaScript package where that will do",
    "grpc": "it is no longer maintained: use @grpc/grpc-js, which is pure JavaScript",
    "canvas": _REBUILD,
    "node-sass": "it is no longer maintained: use sass, which is pure JavaScript",
    "better-sqlite3": _REBUILD,
    "sqlite3": _REBUILD,
    "bufferutil": _REBUILD,
    "utf-8-validate": _REBUILD,
    "node-rdkafka": f"{_REBUILD}, with librdkafka",
    "snappy": _REBUILD,
    "libxmljs": _REBUILD,
    "libxmljs2": _REBUILD,
    "pkcs11js": "get the vendor's aarch64 PKCS#11 library, or keep the tier on x86",
    "puppeteer": "its install script downloads a browser: name an arm64 Chromium of the base image instead",
    "node-pty": _REBUILD,
    "farmhash": _REBUILD,
    "leveldown": _REBUILD,
    "rocksdb": _REBUILD,
    "usb": _REBUILD,
    "zeromq": _REBUILD,
}
"""What helps with an npm package."""

_CGO = "build natively on arm64, or with a C cross-compiler and the library's aarch64 build"
GO: Mapping[str, str] = {
    "github.com/confluentinc/confluent-kafka-go": f"librdkafka by cgo: take a version that bundles its arm64 build; else {_CGO}",
    "github.com/mattn/go-sqlite3": f"SQLite by cgo: {_CGO}, or use modernc.org/sqlite, which is pure Go",
    "github.com/miekg/pkcs11": "the vendor's PKCS#11 library is loaded by cgo: get its aarch64 build, or keep the tier on x86",
    "github.com/godror/godror": "Oracle's client library by cgo: install its aarch64 Instant Client",
    "github.com/mattn/go-oci8": "Oracle's client library by cgo: install its aarch64 Instant Client",
    "github.com/ibmdb/go_ibm_db": "IBM's CLI driver by cgo: ask for its aarch64 build",
    "github.com/ibm-messaging/mq-golang": "IBM MQ's client by cgo: ask for its aarch64 build",
    "github.com/linxgnu/grocksdb": f"RocksDB by cgo: {_CGO}",
    "github.com/tecbot/gorocksdb": f"RocksDB by cgo: {_CGO}",
    "github.com/davidbyttow/govips": f"libvips by cgo: {_CGO}",
    "github.com/h2non/bimg": f"libvips by cgo: {_CGO}",
    "gopkg.in/gographics/imagick.v3": f"ImageMagick by cgo: {_CGO}",
    "github.com/google/gopacket": f"libpcap by cgo where pcap is used: {_CGO}",
    "github.com/pebbe/zmq4": f"libzmq by cgo: {_CGO}",
    "github.com/datadog/zstd": f"zstd by cgo: {_CGO}, or use klauspost/compress, which is pure Go",
    "github.com/libgit2/git2go": f"libgit2 by cgo: {_CGO}",
    "github.com/intel/": "it is written for one maker's processors: check what it does on arm64",
}
"""What helps with a Go module, by the beginning of its path in small letters."""

CRATES_ELSEWHERE = frozenset(
    {
        "js-sys", "web-sys", "windows-sys", "linux-raw-sys", "core-foundation-sys", "security-framework-sys", "core-graphics-sys",
        "system-configuration-sys", "fsevent-sys", "objc-sys", "ndk-sys", "jni-sys", "inotify-sys", "hermit-sys",
    }
)  # fmt: skip
"""`-sys` crates that link no C library on Linux: other systems' ones, and pure definitions."""

CRATES_WITH_C: Mapping[str, str] = {
    "ring": "it compiles assembly and C for the target: a C compiler for aarch64 is needed where it is cross-compiled",
    "rdkafka": "librdkafka: build it on arm64, or name an aarch64 one",
    "pkcs11": "the vendor's PKCS#11 library: get its aarch64 build, or keep the tier on x86",
    "cryptoki": "the vendor's PKCS#11 library: get its aarch64 build, or keep the tier on x86",
    "raw-cpuid": "it reads x86's CPUID: check that it is only used there",
}
"""Crates with native code whose name does not end in -sys."""

_JAR = (
    "take a version whose jar holds an aarch64 library (unzip -l JAR | grep aarch64; cockpit audit --deep reads the image's jars)"
)
JAVA: Mapping[str, str] = {
    "io.netty:netty-tcnative": f"{_JAR}, or its classifier linux-aarch_64",
    "io.netty:netty-tcnative-boringssl-static": f"{_JAR}, or its classifier linux-aarch_64",
    "io.netty:netty-transport-native-epoll": "add its classifier linux-aarch_64 beside linux-x86_64",
    "org.xerial.snappy:snappy-java": _JAR,
    "org.xerial:sqlite-jdbc": _JAR,
    "org.rocksdb:rocksdbjni": _JAR,
    "com.github.luben:zstd-jni": _JAR,
    "org.lz4:lz4-java": _JAR,
    "net.java.dev.jna:jna": _JAR,
    "org.fusesource.leveldbjni:leveldbjni-all": f"{_JAR}; its usual builds are x86 only",
    "org.apache.hadoop:hadoop-common": "its native library is a part of its own: build libhadoop for aarch64, or do without",
    "org.conscrypt:conscrypt-openjdk-uber": _JAR,
    "org.conscrypt:conscrypt-openjdk": "add its classifier linux-aarch_64 beside linux-x86_64",
    "software.amazon.cryptools:amazoncorrettocryptoprovider": "name its classifier linux-aarch_64",
    "com.sun.jna:jna": _JAR,
    "org.bytedeco:javacpp": "add its classifier linux-arm64",
    "ai.djl.tensorflow:tensorflow-native-cpu": _JAR,
    "org.tensorflow:libtensorflow_jni": f"{_JAR}; its usual builds are x86 only",
}
"""What helps with an artifact that brings JNI libraries."""
