import { toHex } from '../domain/hex.ts'
import { contractMissing, deploymentMismatch } from '../errors/chain.ts'
import { type ChainContext, readContract } from './context.ts'
import { toAddress } from './toAddress.ts'

/**
 * Returns when the five contracts of the deployment name each other.
 * @throws CUCKOO_CHAIN_CONTRACT_MISSING when nothing, or another contract, is at an address
 * @throws CUCKOO_CHAIN_DEPLOYMENT_MISMATCH when a contract names another one than the deployment does
 */
export async function assertWiring(context: ChainContext): Promise<void> {
  const { contracts, chainId } = context.deployment
  // The separator binds a staking contract to its chain, its address and our version: no other contract gives this one.
  const separator = readContract(context, 'staking', 'domainSeparator', [])
  const wiring = Promise.all([
    readContract(context, 'staking', 'payments', []),
    readContract(context, 'staking', 'court', []),
    readContract(context, 'staking', 'epochs', []),
    readContract(context, 'payments', 'staking', []),
    readContract(context, 'court', 'staking', []),
    readContract(context, 'epochs', 'staking', []),
    readContract(context, 'court', 'randomness', []),
  ])
  // Another contract answers these with an error most likely: that it is another one is the news.
  wiring.catch(() => undefined)
  if ((await separator) !== toHex(context.domainSeparator)) {
    throw contractMissing({ contract: 'staking', address: contracts.staking, chainId, reason: 'another contract is there' })
  }
  const [payments, court, epochs, ofPayments, ofCourt, ofEpochs, randomness] = await wiring
  const found = [
    { what: 'the payments contract of the staking contract', found: payments, expected: contracts.payments },
    { what: 'the court of the staking contract', found: court, expected: contracts.court },
    { what: 'the epochs contract of the staking contract', found: epochs, expected: contracts.epochs },
    { what: 'the staking contract of the payments contract', found: ofPayments, expected: contracts.staking },
    { what: 'the staking contract of the court', found: ofCourt, expected: contracts.staking },
    { what: 'the staking contract of the epochs contract', found: ofEpochs, expected: contracts.staking },
    { what: 'the randomness of the court', found: randomness, expected: contracts.randomness },
  ]
  const wrong = found.find((entry) => toAddress(entry.found) !== entry.expected)
  if (wrong) throw deploymentMismatch({ ...wrong, found: toAddress(wrong.found) })
}
