"""Reading the layers of images as they stream by: gzip or zstd, tar, jars inside of it, ELF headers. Memory is bounded."""
