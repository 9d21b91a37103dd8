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
export const deploymentUnwritable = defineError('CUCKOO_CHAIN_DEPLOYMENT_UNWRITABLE', 'config', (f: { path: string; reason: string }) => ({
  message: `The deployment file ${f.path} cannot be written: ${f.reason}.`,
  hint: 'Name another file with --out, or check the permissions of the folder.',
}))
export const deploymentInsecure = defineError('CUCKOO_CHAIN_DEPLOYMENT_INSECURE', 'usage', (f: { source: string }) => ({
  message: `${f.source} is not https: whoever stands between could name another contract.`,
  hint: 'Use an https URL, or download the file and check it.',
}))
export const contractMissing = defineError('CUCKOO_CHAIN_CONTRACT_MISSING', 'config', (f: { address: string; chainId: number; reason: string }) => ({
  message: `There is no cuckoo staking contract at ${f.address} on chain ${f.chainId}: ${f.reason}.`,
  hint: 'Check --deployment; a devnet that was started again has new contracts (`cuckoo devnet status`).',
}))

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

// ---- what the contract refuses: one for each error of IStaking ----
export const amountZero = defineError('CUCKOO_STAKING_AMOUNT_ZERO', 'usage', () => ({
  message: 'The amount is zero.',
  hint: 'Give an amount above 0.',
}))
export const freeTooLow = defineError('CUCKOO_STAKING_FREE_TOO_LOW', 'rejected', (f: { availableCai: string; neededCai: string; missingCai: string }) => ({
  message: `${f.availableCai} CAI are free in the contract; this needs ${f.neededCai} CAI.`,
  hint: `Stake what is missing: \`cuckoo stake ${f.missingCai}\`.`,
}))
export const bondInsufficient = defineError('CUCKOO_STAKING_BOND_INSUFFICIENT', 'rejected', (f: { availableCai: string; neededCai: string }) => ({
  message: `The bond is ${f.availableCai} CAI; ${f.neededCai} CAI cannot be taken out of it.`,
  hint: `At most \`cuckoo unbond ${f.availableCai}\` is possible.`,
}))
export const sharesInsufficient = defineError('CUCKOO_STAKING_SHARES_INSUFFICIENT', 'rejected', (f: { available: bigint; needed: bigint }) => ({
  message: `The account holds ${f.available} shares of this node's votes, not ${f.needed}.`,
  hint: 'See the votes with `cuckoo status`; `cuckoo unvote <node> all` takes out everything.',
}))
export const bondTooLow = defineError('CUCKOO_STAKING_BOND_TOO_LOW', 'rejected', (f: { bondCai: string; thresholdCai: string }) => ({
  message: `A bond of ${f.bondCai} CAI is not enough: it must be more than ${f.thresholdCai} CAI.`,
  hint: `Stake and bond more than ${f.thresholdCai} CAI; exactly that much is not enough.`,
}))
export const voteTooSmall = defineError('CUCKOO_STAKING_VOTE_TOO_SMALL', 'rejected', (f: { amountCai: string; minimumCai: string }) => ({
  message: `A vote of ${f.amountCai} CAI is below the minimum of ${f.minimumCai} CAI, which also holds for what remains.`,
  hint: `Vote at least ${f.minimumCai} CAI, or take everything out with \`cuckoo unvote <node> all\`.`,
}))
export const votesOverLimit = defineError('CUCKOO_STAKING_VOTES_OVER_LIMIT', 'rejected', (f: { votesCai: string; limitCai: string }) => ({
  message: `The node would have ${f.votesCai} CAI of votes; its bond allows ${f.limitCai} CAI.`,
  hint: 'Vote less, or for another node: `cuckoo nodes`.',
}))
export const sharesSlipped = defineError('CUCKOO_STAKING_SHARES_SLIPPED', 'rejected', (f: { shares: bigint; minShares: bigint }) => ({
  message: `The vote would give ${f.shares} shares, fewer than the ${f.minShares} asked for.`,
  hint: "The pool's price has moved: try again.",
}))
export const amountSlipped = defineError('CUCKOO_STAKING_AMOUNT_SLIPPED', 'rejected', (f: { amountCai: string; minAmountCai: string }) => ({
  message: `The votes are worth ${f.amountCai} CAI, less than the ${f.minAmountCai} CAI asked for.`,
  hint: 'The node may have been slashed: look with `cuckoo nodes`, then try again.',
}))
export const nodeNotRegistered = defineError('CUCKOO_STAKING_NOT_REGISTERED', 'rejected', (f: { node: string }) => ({
  message: `${f.node} is not a registered node.`,
  hint: 'See the nodes with `cuckoo nodes`; register with `cuckoo register miner` or `cuckoo register coordinator`.',
}))
export const nodeRegistered = defineError('CUCKOO_STAKING_ALREADY_REGISTERED', 'rejected', (f: { node: string }) => ({
  message: `${f.node} is registered already.`,
  hint: 'See it with `cuckoo node show`; add to its bond with `cuckoo bond <amount>`.',
}))
export const roleInvalid = defineError('CUCKOO_STAKING_ROLE_INVALID', 'usage', (f: { role: number }) => ({
  message: `${f.role} is not a role.`,
  hint: 'A node is a miner or a coordinator.',
}))
export const roleLocked = defineError('CUCKOO_STAKING_ROLE_LOCKED', 'rejected', (f: { node: string; previous: string }) => ({
  message: `${f.node} was a ${f.previous} and still has votes, or bond that counts in this epoch.`,
  hint: `Register as ${f.previous} again, wait an epoch and for the votes to leave, or use another account.`,
}))
export const operatorTaken = defineError('CUCKOO_STAKING_OPERATOR_TAKEN', 'rejected', (f: { operator: string; owner: string }) => ({
  message: `The operator key ${f.operator} belongs to the node ${f.owner} for ever.`,
  hint: 'Make a new operator key with `cuckoo account new <name>`.',
}))
export const operatorZero = defineError('CUCKOO_STAKING_OPERATOR_ZERO', 'usage', () => ({
  message: 'The operator is the zero address.',
  hint: 'Give the address of the key that the node runs with: --operator <account>.',
}))
export const operatorSignatureInvalid = defineError('CUCKOO_STAKING_OPERATOR_SIGNATURE_INVALID', 'denied', (f: { operator: string }) => ({
  message: `The operator ${f.operator} has not signed this registration.`,
  hint: 'Sign it again with `cuckoo node sign-operator`: owner, role, nonce, deadline, chain and contract must be the same.',
}))
export const signatureExpired = defineError('CUCKOO_STAKING_SIGNATURE_EXPIRED', 'denied', (f: { deadline: number; nowAt: number }) => ({
  message: `The operator's signature was good until ${f.deadline}; the chain's time is ${f.nowAt} (unix seconds).`,
  hint: 'Sign again with `cuckoo node sign-operator`.',
}))
export const voterShareTooHigh = defineError('CUCKOO_STAKING_VOTER_SHARE_TOO_HIGH', 'usage', (f: { voterShareBps: number }) => ({
  message: `A voter share of ${f.voterShareBps} basis points is over 10000 (100 %).`,
  hint: 'Give 0 to 10000 basis points.',
}))
export const profileInvalid = defineError('CUCKOO_STAKING_PROFILE_INVALID', 'usage', (f: { field: string; length: number; maximum: number }) => ({
  message: `The profile's ${f.field} has ${f.length} bytes; ${f.field === 'name' ? '1' : '0'} to ${f.maximum} are allowed.`,
  hint: `Shorten or give the ${f.field}.`,
}))
export const thawUnknown = defineError('CUCKOO_STAKING_THAW_UNKNOWN', 'rejected', (f: { account: string; id: bigint }) => ({
  message: `${f.account} has no exit number ${f.id} under way: it never was, or it has been withdrawn.`,
  hint: 'See the exits under way with `cuckoo status`.',
}))
export const thawNotReleased = defineError('CUCKOO_STAKING_THAW_NOT_RELEASED', 'rejected', (f: { id: bigint; releaseAt: number }) => ({
  message: `Exit number ${f.id} can be withdrawn from ${f.releaseAt} (unix seconds) on.`,
  hint: '`cuckoo status` shows when each exit is released.',
}))
export const payoutFailed = defineError('CUCKOO_STAKING_PAYOUT_FAILED', 'rejected', (f: { to: string; amountCai: string }) => ({
  message: `${f.to} does not take the ${f.amountCai} CAI.`,
  hint: 'Withdraw to another address with --to <address>.',
}))
export const parameterInvalid = defineError('CUCKOO_STAKING_PARAMETER_INVALID', 'usage', (f: { name: string }) => ({
  message: `The contract refuses the value of '${f.name}'.`,
  hint: `Give another value for '${f.name}'.`,
}))
export const amountOverCapacity = defineError('CUCKOO_STAKING_AMOUNT_OVER_CAPACITY', 'rejected', (f: { bits: number; value: bigint }) => ({
  message: `The amount does not fit: ${f.value} is more than ${f.bits} bits.`,
  hint: 'Give a smaller amount.',
}))
export const contractBusy = defineError('CUCKOO_STAKING_REENTERED', 'rejected', () => ({
  message: 'The contract was called from inside its own payout.',
  hint: 'Withdraw to an ordinary account with --to <address>.',
}))
export const contractTextInvalid = defineError('CUCKOO_STAKING_TEXT_INVALID', 'rejected', () => ({
  message: "The contract's name or version cannot be stored.",
  hint: 'The contract is not the one this version of cuckoo was built with.',
}))
