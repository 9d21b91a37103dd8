import { defineError } from './cuckooError.ts'

/** What more than one contract refuses, with the codes of `area`. */
export function defineRefusals<A extends 'STAKING' | 'PAYMENTS' | 'COURT' | 'EPOCHS'>(area: A) {
  return {
    notActing: defineError(`CUCKOO_${area}_NOT_ACTING`, 'denied', (f: { account: string; node: string }) => ({
      message: `${f.account} is neither the owner nor the operator of the node ${f.node}.`,
      hint: `Use one of their accounts with --account <name>; \`cuckoo node show ${f.node}\` names them.`,
    })),
    signatureInvalid: defineError(`CUCKOO_${area}_SIGNATURE_INVALID`, 'denied', (f: { signer: string; node: string }) => ({
      message: `The signature by ${f.signer} does not count for the node ${f.node}: it is malformed, another's, or of a key that was replaced more than a thaw ago.`,
      hint: `Compare the signer with the operator: \`cuckoo node show ${f.node}\`.`,
    })),
    payoutFailed: defineError(`CUCKOO_${area}_PAYOUT_FAILED`, 'rejected', (f: { to: string; amountCai: string }) => ({
      message: `${f.to} does not take the ${f.amountCai} CAI.`,
      hint: 'Withdraw to another address with --to <address>.',
    })),
    parameterInvalid: defineError(`CUCKOO_${area}_PARAMETER_INVALID`, 'usage', (f: { name: string }) => ({
      message: `The contract refuses the value of '${f.name}'.`,
      hint: `Give another value for '${f.name}'.`,
    })),
    amountOverCapacity: defineError(`CUCKOO_${area}_AMOUNT_OVER_CAPACITY`, 'rejected', (f: { bits: number; value: bigint }) => ({
      message: `The amount does not fit: ${f.value} is more than ${f.bits} bits.`,
      hint: 'Give a smaller amount.',
    })),
    contractBusy: defineError(`CUCKOO_${area}_REENTERED`, 'rejected', () => ({
      message: 'The contract was called from inside its own payout.',
      hint: 'Withdraw to an ordinary account with --to <address>.',
    })),
  }
}
