import type { NetworkParameters } from '../domain/chainPort.ts'
import { type ChainContext, readContract } from './context.ts'

/** What the deployment fixed, read from its contracts: seconds and wei. */
export async function readParameters(context: ChainContext): Promise<NetworkParameters> {
  const [thaw, epoch, reward, drip, freeze] = await Promise.all([
    readContract(context, 'staking', 'thawSeconds', []),
    readContract(context, 'staking', 'epochSeconds', []),
    readContract(context, 'staking', 'rewardSeconds', []),
    readContract(context, 'staking', 'dripSeconds', []),
    readContract(context, 'staking', 'freezeSeconds', []),
  ])
  const [topUp, draw, grace] = await Promise.all([
    readContract(context, 'payments', 'topUpSeconds', []),
    readContract(context, 'epochs', 'drawSeconds', []),
    readContract(context, 'epochs', 'graceSeconds', []),
  ])
  const [evidence, seal, commit, reveal, appeal, jail, jurorFeeWei, first, second, third] = await Promise.all([
    readContract(context, 'court', 'evidenceSeconds', []),
    readContract(context, 'court', 'sealSeconds', []),
    readContract(context, 'court', 'commitSeconds', []),
    readContract(context, 'court', 'revealSeconds', []),
    readContract(context, 'court', 'appealSeconds', []),
    readContract(context, 'court', 'jailSeconds', []),
    readContract(context, 'court', 'jurorFeeWei', []),
    readContract(context, 'court', 'seats', [0]),
    readContract(context, 'court', 'seats', [1]),
    readContract(context, 'court', 'seats', [2]),
  ])
  return {
    thawSeconds: Number(thaw),
    epochSeconds: Number(epoch),
    rewardSeconds: Number(reward),
    dripSeconds: Number(drip),
    freezeSeconds: Number(freeze),
    topUpSeconds: Number(topUp),
    drawSeconds: Number(draw),
    graceSeconds: Number(grace),
    evidenceSeconds: Number(evidence),
    sealSeconds: Number(seal),
    commitSeconds: Number(commit),
    revealSeconds: Number(reveal),
    appealSeconds: Number(appeal),
    jailSeconds: Number(jail),
    jurorFeeWei,
    seats: [Number(first), Number(second), Number(third)],
  }
}
