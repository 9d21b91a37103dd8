/**
 * drand's `evmnet`: a BLS signature on BN254 every three seconds, by the League of Entropy. What `/v2/beacons/evmnet/info` of
 * each relay says (docs.drand.love, "Our HTTP API"); `chainHash` is the SHA-256 of period, genesis, key, seed and name.
 */
export const drandEvmnet = {
  chainHash: '04f1e9062b8a81f848fded9c12306733282b2727ecced50032187751166ec8c3',
  /** A point of G2 as x.c1, x.c0, y.c1, y.c0: drand's 128 bytes cut in four, and the order of EIP-197 and of `DrandRandomness`. */
  groupKey: [
    0x07e1d1d335df83fa98462005690372c643340060d205306a9aa8106b6bd0b382n,
    0x0557ec32c2ad488e4d4f6008f89a346f18492092ccc0d594610de2732c8b808fn,
    0x0095685ae3a85ba243747b1b2f426049010f6b73a0cf1d389351d5aaaa1047f6n,
    0x297d3a4f9749b33eb2d904c9d9ebf17224150ddd7abd7567a9bec6c74480ee0bn,
  ],
  /** unix seconds of round 1 */
  genesisAt: 1_727_521_075n,
  periodSeconds: 3n,
  /** Relays of the version 1 API, which all of them speak; no slash at the end. */
  relayUrls: ['https://api.drand.sh', 'https://api2.drand.sh', 'https://api3.drand.sh', 'https://drand.cloudflare.com'],
} as const
