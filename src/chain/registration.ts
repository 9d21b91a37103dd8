import type { Deployment } from '../domain/chainPort.ts'
import { type SigningDomain, signingDomainName, signingDomainVersion, toDigest, toDomainSeparator } from '../domain/eip712.ts'
import type { Address, Hash, Hex } from '../domain/hex.ts'
import { type Role, roleNumbers } from '../domain/node.ts'
import type { Signer } from '../domain/ports.ts'
import { registration } from '../domain/signedStructures.ts'

export interface RegistrationInput {
  owner: Address
  operator: Address
  role: Role
  /** `NodeRecord.nonce` of the owner's node */
  nonce: bigint
  /** unix seconds until which the signature may be used */
  deadline: number
}

/** The digest with which an operator proves that it holds its key (IStaking.registrationDigest). */
export function toRegistrationDigest(deployment: Deployment, input: RegistrationInput): Hash {
  return toDigest(toDomainSeparator(toSigningDomain(deployment)), registration, {
    owner: input.owner,
    operator: input.operator,
    role: roleNumbers[input.role],
    nonce: input.nonce,
    deadline: BigInt(input.deadline),
  })
}

/** The operator's signature over a registration, 65 bytes r ‖ s ‖ v. `signer` is the operator. */
export function signRegistration(signer: Signer, deployment: Deployment, input: Omit<RegistrationInput, 'operator'>): Hex {
  return signer.sign(toRegistrationDigest(deployment, { ...input, operator: signer.address }))
}

/** The registration as EIP-712 typed data in JSON (eth_signTypedData_v4), for a wallet elsewhere. Integers are decimal strings. */
export function toRegistrationTypedData(deployment: Deployment, input: RegistrationInput) {
  return {
    domain: { name: signingDomainName, version: signingDomainVersion, ...toSigningDomain(deployment) },
    primaryType: registration.name,
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
      [registration.name]: Object.entries(registration.fields).map(([name, type]) => ({ name, type })),
    },
    message: {
      owner: input.owner,
      operator: input.operator,
      role: roleNumbers[input.role],
      nonce: input.nonce.toString(),
      deadline: input.deadline.toString(),
    },
  }
}

function toSigningDomain(deployment: Deployment): SigningDomain {
  return { chainId: deployment.chainId, verifyingContract: deployment.contracts.staking }
}
