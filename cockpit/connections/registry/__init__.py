"""Image registries: what images are built for, asked by the OCI distribution API, with the credentials that docker has."""
