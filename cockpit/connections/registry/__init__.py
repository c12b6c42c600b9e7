"""Image registries: what images are built for, asked by the OCI distribution API, with the credentials that docker has.

For the flight: `client.RegistryClient(endpoints).image(reference)`, which raises. For the portability audit, `audit`:

- `await image_facts(client, reference, arch, patience) -> cockpit.model.builds.ImageFacts`
- `await deep_scan(client, reference, arch, patience) -> cockpit.model.layers.Scan`

Neither raises anything but cancellation: what cannot be known says why. One `patience.Patience(clock)` is shared by all
questions of an audit: it bounds how many are asked at once and waits where a registry asks to. The rows come from
`cockpit.rules.portability.images.rows_of_image(facts, arch, today)` and
`cockpit.rules.portability.libraries.rows_of_scan(scan, arch)`.
"""
