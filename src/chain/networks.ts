/** What is known of a network before anything is deployed on it. */
export interface Network {
  name: string
  chainId: number
  rpcUrls: readonly string[]
  explorerUrl: string | null
}

/**
 * The networks that have a name. No contract addresses: these contracts are new, a deployment file names them.
 * URLs of the public ones: ethereum-lists/chains, eip155-1200.json and eip155-1210.json.
 */
export const networks = {
  devnet: { name: 'devnet', chainId: 31337, rpcUrls: [], explorerUrl: null },
  cuckoo: { name: 'cuckoo', chainId: 1200, rpcUrls: ['https://mainnet-rpc.cuckoo.network'], explorerUrl: 'https://mainnet-scan.cuckoo.network' },
  'cuckoo-sepolia': {
    name: 'cuckoo-sepolia',
    chainId: 1210,
    rpcUrls: ['https://testnet-rpc.cuckoo.network'],
    explorerUrl: 'https://testnet-scan.cuckoo.network',
  },
} as const satisfies Record<string, Network>

export type NetworkName = keyof typeof networks

/** The known network called `name`, or undefined: any other network is described by its deployment file alone. @example findNetwork('cuckoo')?.chainId // 1200 */
export function findNetwork(name: string): Network | undefined {
  return Object.hasOwn(networks, name) ? networks[name as NetworkName] : undefined
}
