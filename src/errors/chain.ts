import { defineError } from './cuckooError.ts'

/** Where CAI can be had on the public networks. */
const caiSources = {
  portal: 'https://cuckoo.network/portal',
  telegram: 'https://cuckoo.network/tg',
  discord: 'https://cuckoo.network/dc',
} as const

/** The sentence that says where CAI can be had on a network. */
export function describeCaiSources(network: string, address: string): string {
  if (network === 'devnet') return `Get some with \`cuckoo faucet ${address}\`.`
  return `Get CAI for ${address} at ${caiSources.portal}, or ask on Telegram ${caiSources.telegram} or Discord ${caiSources.discord}.`
}

// ---- where the contracts are ----
export const deploymentMissing = defineError('CUCKOO_CHAIN_DEPLOYMENT_MISSING', 'config', (f: { network: string; path: string }) => ({
  message: `It is not known where the contracts of '${f.network}' are: there is no ${f.path}.`,
  hint:
    f.network === 'devnet'
      ? 'Start the local network with `cuckoo devnet start`.'
      : 'Name the deployment file with --deployment <file|url>, or deploy with `cuckoo deploy`.',
}))
export const deploymentInvalid = defineError('CUCKOO_CHAIN_DEPLOYMENT_INVALID', 'invalid', (f: { source: string; problem: string }) => ({
  message: `${f.source} is not a deployment file: ${f.problem}.`,
  hint: 'A deployment file is what `cuckoo deploy --out <file>` writes.',
}))
export const deploymentUnreachable = defineError('CUCKOO_CHAIN_DEPLOYMENT_UNREACHABLE', 'unavailable', (f: { source: string; reason: string }) => ({
  message: `The deployment file ${f.source} cannot be read: ${f.reason}.`,
  hint: 'Check the path or URL given with --deployment.',
}))
export const deploymentFileMissing = defineError('CUCKOO_CHAIN_DEPLOYMENT_FILE_MISSING', 'config', (f: { path: string }) => ({
  message: `There is no deployment file ${f.path}.`,
  hint: 'Check the path given with --deployment.',
}))
export const deploymentUnwritable = defineError('CUCKOO_CHAIN_DEPLOYMENT_UNWRITABLE', 'config', (f: { path: string; reason: string }) => ({
  message: `The deployment file ${f.path} cannot be written: ${f.reason}.`,
  hint: 'Name another file with --out, or check the permissions of the folder.',
}))
export const deploymentInsecure = defineError('CUCKOO_CHAIN_DEPLOYMENT_INSECURE', 'usage', (f: { source: string }) => ({
  message: `${f.source} is not https: whoever stands between could name another contract.`,
  hint: 'Use an https URL, or download the file and check it.',
}))
export const deploymentOutdated = defineError('CUCKOO_CHAIN_DEPLOYMENT_OUTDATED', 'invalid', (f: { source: string }) => ({
  message: `${f.source} names a staking contract alone: it was written by an older version, whose network has neither payments nor a court.`,
  hint: 'Deploy all contracts with `cuckoo deploy`, or start the devnet anew: `cuckoo devnet stop`, `cuckoo devnet start`.',
}))
export const deploymentMismatch = defineError('CUCKOO_CHAIN_DEPLOYMENT_MISMATCH', 'invalid', (f: { what: string; found: string; expected: string }) => ({
  message: `The deployment is not what it says: ${f.what} is ${f.found}, not ${f.expected}.`,
  hint: 'Use a deployment file from somebody you trust with --deployment <file|url>, or deploy anew with `cuckoo deploy`.',
}))
export const contractMissing = defineError(
  'CUCKOO_CHAIN_CONTRACT_MISSING',
  'config',
  (f: { contract: string; address: string; chainId: number; reason: string }) => ({
    message: `There is no cuckoo ${f.contract} contract at ${f.address} on chain ${f.chainId}: ${f.reason}.`,
    hint: 'Check --deployment; a devnet that was started again has new contracts (`cuckoo devnet status`).',
  }),
)

// ---- deploying ----
export const parametersInvalid = defineError('CUCKOO_CHAIN_PARAMETERS_INVALID', 'usage', (f: { rule: string; name: string }) => ({
  message: `These parameters make no network: ${f.rule}.`,
  hint: `Give another value for ${f.name}: \`cuckoo deploy --help\`.`,
}))
export const evmTooOld = defineError('CUCKOO_CHAIN_EVM_TOO_OLD', 'config', (f: { chainId: number }) => ({
  message: `Chain ${f.chainId} does not run the instructions of Cancun (TSTORE, MCOPY) that the contracts are compiled to.`,
  hint: 'An Orbit chain has them from ArbOS 20 on: upgrade it, then `cuckoo deploy` again.',
}))
export const transactionPending = defineError('CUCKOO_CHAIN_TRANSACTION_PENDING', 'rejected', (f: { account: string; latest: number; pending: number }) => ({
  message: `${f.account} has ${f.pending - f.latest} transactions that are not mined yet: the addresses of the contracts would not be the ones computed.`,
  hint: 'Wait until they are mined, then `cuckoo deploy` again.',
}))
export const deploymentBroken = defineError(
  'CUCKOO_CHAIN_DEPLOYMENT_BROKEN',
  'rejected',
  (f: { failed: string; reason: string; deployed: readonly string[]; chainId: number }) => ({
    message: `The deployment broke off at the ${f.failed} contract: ${f.reason.replace(/\.$/, '')}. Abandoned on chain ${f.chainId}: ${f.deployed.join(', ')}.`,
    hint: 'What is abandoned cost its gas and nothing else: nobody can complete or use it. Start anew with `cuckoo deploy`.',
  }),
)

export const deploymentUnverified = defineError(
  'CUCKOO_CHAIN_DEPLOYMENT_UNVERIFIED',
  'invalid',
  (f: { reason: string; deployed: readonly string[]; deploymentBlock: number; chainId: number }) => ({
    message: `All contracts were sent to chain ${f.chainId}, from block ${f.deploymentBlock} on, but reading them back failed: ${f.reason.replace(/\.$/, '')}. They are ${f.deployed.join(', ')}.`,
    hint: 'No deployment file was written. Look at them with another --rpc-url, or make new ones with `cuckoo deploy`.',
  }),
)

// ---- the RPC ----
export const rpcUrlMissing = defineError('CUCKOO_CHAIN_RPC_MISSING', 'config', (f: { network: string }) => ({
  message: `No RPC URL is known for '${f.network}'.`,
  hint: 'Give one with --rpc-url <url> or CUCKOO_RPC_URL.',
}))
export const rpcUrlInvalid = defineError('CUCKOO_CHAIN_RPC_URL_INVALID', 'usage', (f: { problem: string }) => ({
  message: `The RPC URL cannot be used: ${f.problem}.`,
  hint: 'Write it like http://127.0.0.1:8545 or https://mainnet-rpc.cuckoo.network.',
}))
export const chainMismatch = defineError('CUCKOO_CHAIN_ID_MISMATCH', 'config', (f: { url: string; found: number; expected: number; network: string }) => ({
  message: `The RPC at ${f.url} is on chain ${f.found}, but '${f.network}' is chain ${f.expected}.`,
  hint: 'Give the right --rpc-url, or choose the other network with --network.',
}))
export const rpcUnavailable = defineError('CUCKOO_CHAIN_RPC_UNAVAILABLE', 'unavailable', (f: { url: string; reason: string }) => ({
  message: `The RPC at ${f.url} does not answer: ${f.reason}.`,
  hint: 'Try again in a moment, or name another RPC with --rpc-url (several are used in turn).',
}))
export const rpcRefused = defineError('CUCKOO_CHAIN_RPC_REFUSED', 'unavailable', (f: { url: string; rpcCode: number | null; reason: string }) => ({
  message: `The RPC at ${f.url} refused the call (code ${f.rpcCode ?? 'unknown'}): ${f.reason}.`,
  hint: 'Try again, or name another RPC with --rpc-url.',
}))
export const chainUnsettled = defineError('CUCKOO_CHAIN_UNSETTLED', 'unavailable', (f: { block: string }) => ({
  message: `Block ${f.block} was replaced while it was being read.`,
  hint: 'The chain is being reorganised: try again in a moment.',
}))

// ---- sending ----
export const walletTooLow = defineError(
  'CUCKOO_CHAIN_WALLET_TOO_LOW',
  'rejected',
  (f: { account: string; availableCai: string; neededCai: string; feeCai: string; network: string }) => ({
    message: `The account ${f.account} has ${f.availableCai} CAI outside the contract, and needs ${f.neededCai} CAI (of that ${f.feeCai} CAI for gas at most).`,
    hint: describeCaiSources(f.network, f.account),
  }),
)
export const txReverted = defineError('CUCKOO_CHAIN_TX_REVERTED', 'rejected', (f: { action: string; hash: string; blockNumber: bigint }) => ({
  message: `The transaction ${f.hash} (${f.action}) was mined in block ${f.blockNumber} and reverted.`,
  hint: 'The state changed between the check and the block: look at it with `cuckoo status` and try again.',
}))
export const callReverted = defineError('CUCKOO_CHAIN_CALL_REVERTED', 'rejected', (f: { action: string; reason: string }) => ({
  message: `The contract refuses ${f.action}: ${f.reason}.`,
  hint: 'Look at the state with `cuckoo status`.',
}))
export const txUnconfirmed = defineError('CUCKOO_CHAIN_TX_UNCONFIRMED', 'unavailable', (f: { action: string; hash: string; waitedMs: number }) => ({
  message: `The transaction ${f.hash} (${f.action}) was sent but not mined within ${f.waitedMs / 1000} s.`,
  hint: 'It may still be mined: look with `cuckoo status` before sending it again.',
}))
export const txUncertain = defineError('CUCKOO_CHAIN_TX_UNCERTAIN', 'unavailable', (f: { action: string; hash: string }) => ({
  message: `The RPC broke off while it was given the transaction ${f.hash} (${f.action}): it may or may not have been sent.`,
  hint: 'Look with `cuckoo status` before sending it again.',
}))
export const txNotFinal = defineError(
  'CUCKOO_CHAIN_TX_NOT_FINAL',
  'unavailable',
  (f: { action: string; hash: string; blockNumber: bigint; finalizedBlock: bigint; waitedMs: number }) => ({
    message: `The transaction ${f.hash} (${f.action}) is in block ${f.blockNumber}, which is not final after ${f.waitedMs / 1000} s (final so far: ${f.finalizedBlock}).`,
    hint: 'Nothing is lost: it becomes final by itself. Wait longer with --timeout.',
  }),
)
export const txReorged = defineError('CUCKOO_CHAIN_TX_REORGED', 'unavailable', (f: { action: string; hash: string; blockNumber: bigint }) => ({
  message: `The transaction ${f.hash} (${f.action}) was in block ${f.blockNumber}, which the chain has dropped.`,
  hint: 'It may be mined again: look with `cuckoo status` before sending it again.',
}))
