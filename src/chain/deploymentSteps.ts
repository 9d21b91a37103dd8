import { encodeDeployData, getContractAddress } from 'viem'
import type { NetworkContracts, NetworkParameters, RandomnessKind } from '../domain/chainPort.ts'
import type { Address, Hex } from '../domain/hex.ts'
import type { ContractName } from './abis.ts'
import {
  blockhashRandomnessAbi,
  blockhashRandomnessBytecode,
  courtAbi,
  courtBytecode,
  drandRandomnessAbi,
  drandRandomnessBytecode,
  epochsAbi,
  epochsBytecode,
  paymentsAbi,
  paymentsBytecode,
  stakingAbi,
  stakingBytecode,
} from './contracts.generated.ts'
import { drandEvmnet } from './drandEvmnet.ts'
import { toAddress } from './toAddress.ts'

/** One contract of a deployment before it is there. */
export interface DeploymentStep {
  contract: ContractName
  /** of the transaction that creates it */
  nonce: number
  /** where it will be */
  address: Address
  /** creation code and constructor arguments */
  data: Hex
}

/** In this order, one transaction each: staking is told where the three after it will be. */
const order = ['randomness', 'staking', 'payments', 'court', 'epochs'] as const satisfies readonly ContractName[]

export interface DeploymentInput {
  deployer: Address
  /** of the first transaction */
  nonce: number
  parameters: NetworkParameters
  randomness: RandomnessKind
}

/** The five transactions of a deployment, in order, with the addresses that their nonces give (CREATE). */
export function toDeploymentSteps({ deployer, nonce, parameters, randomness }: DeploymentInput): DeploymentStep[] {
  const addresses = order.map((contract, index) => [contract, toAddress(getContractAddress({ from: deployer, nonce: BigInt(nonce + index) }))])
  const contracts = Object.fromEntries(addresses) as Record<ContractName, Address>
  const data = encodeCreations(contracts, parameters, randomness)
  return order.map((contract, index) => ({ contract, nonce: nonce + index, address: contracts[contract], data: data[contract] }))
}

/** Where the steps put the contracts. */
export function toContracts(steps: readonly DeploymentStep[]): NetworkContracts {
  return Object.fromEntries(steps.map(({ contract, address }) => [contract, address])) as unknown as NetworkContracts
}

/** Creation code of each contract, without arguments. */
export function getBytecodes(randomness: RandomnessKind): Record<ContractName, Hex> {
  return {
    randomness: randomness === 'drand' ? drandRandomnessBytecode : blockhashRandomnessBytecode,
    staking: stakingBytecode,
    payments: paymentsBytecode,
    court: courtBytecode,
    epochs: epochsBytecode,
  }
}

function encodeCreations(contracts: NetworkContracts, parameters: NetworkParameters, randomness: RandomnessKind): Record<ContractName, Hex> {
  const { staking, payments, court, epochs } = contracts
  const bytecodes = getBytecodes(randomness)
  const seconds = (name: keyof NetworkParameters): bigint => BigInt(parameters[name] as number)
  const { groupKey, genesisAt, periodSeconds } = drandEvmnet
  const [first, second, third] = parameters.seats
  const stakingParameters = {
    thawSeconds: seconds('thawSeconds'),
    epochSeconds: seconds('epochSeconds'),
    rewardSeconds: seconds('rewardSeconds'),
    dripSeconds: seconds('dripSeconds'),
    freezeSeconds: seconds('freezeSeconds'),
    payments,
    court,
    epochs,
  }
  const courtParameters = {
    evidenceSeconds: seconds('evidenceSeconds'),
    sealSeconds: seconds('sealSeconds'),
    commitSeconds: seconds('commitSeconds'),
    revealSeconds: seconds('revealSeconds'),
    appealSeconds: seconds('appealSeconds'),
    jailSeconds: seconds('jailSeconds'),
    jurorFeeWei: parameters.jurorFeeWei,
    seats: [BigInt(first), BigInt(second), BigInt(third)],
  } as const
  return {
    randomness:
      randomness === 'drand'
        ? encodeDeployData({ abi: drandRandomnessAbi, bytecode: bytecodes.randomness, args: [groupKey, genesisAt, periodSeconds] })
        : encodeDeployData({ abi: blockhashRandomnessAbi, bytecode: bytecodes.randomness }),
    staking: encodeDeployData({ abi: stakingAbi, bytecode: bytecodes.staking, args: [stakingParameters] }),
    payments: encodeDeployData({ abi: paymentsAbi, bytecode: bytecodes.payments, args: [staking, seconds('topUpSeconds')] }),
    court: encodeDeployData({ abi: courtAbi, bytecode: bytecodes.court, args: [staking, contracts.randomness, courtParameters] }),
    epochs: encodeDeployData({ abi: epochsAbi, bytecode: bytecodes.epochs, args: [staking, seconds('drawSeconds'), seconds('graceSeconds')] }),
  }
}
