import { divide, type Fraction, floor, floorTo, isAtMost, multiply, toFraction } from './fraction.ts'
import { enterPool, exitPool, lowerPool, type PoolModel, sellShares, toAssets } from './poolModel.ts'
import {
  type ClaimModel,
  createState,
  type DripModel,
  type KindNumber,
  type ModelParameters,
  type ModelState,
  type NodeModel,
  type PositionModel,
  Refusal,
  type RoleNumber,
  roles,
  type ThawModel,
  thresholdsWei,
} from './rewardsState.ts'
import { addToStream, settleEarner, settleStream } from './streamModel.ts'

const minimumVoteWei = 10n ** 18n
const minimumShares = 10n ** 18n
const votesPerBond = 16n
const allBps = 10_000n
const mostOfVotes = toFraction(2n, 100n)

/**
 * Stake and rewards by the book: IStaking, IRewards, IStakingHooks and SharePool's documentation, in rationals that are rounded where these
 * say so and nowhere else. It has no index of its own time, no packed word and no clever order: what it knows, it knows of each node.
 */
export class StakingModel {
  readonly parameters: ModelParameters
  state: ModelState

  constructor(parameters: ModelParameters, accounts: number, now: number) {
    this.parameters = parameters
    this.state = createState(accounts, now)
  }

  /** What `action` returns, or its refusal, which leaves no trace. */
  attempt<T>(action: (model: StakingModel) => T): { value: T } | { refusal: string } {
    const before = structuredClone(this.state)
    try {
      return { value: action(this) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.state = before
      return { refusal: error.message }
    }
  }

  /** The state that a settlement of every node now would leave. */
  preview(): ModelState {
    const copy = new StakingModel(this.parameters, 0, 0)
    copy.state = structuredClone(this.state)
    for (const role of roles) copy.settleRole(role)
    for (const index of copy.state.nodes.keys()) copy.carryIn(index, true)
    return copy.state
  }

  getNode(index: number): NodeModel {
    return find(this.state.nodes[index], 'NodeUnknown')
  }

  isActive(node: NodeModel): boolean {
    return node.role !== 0 && node.registered && !node.away && !node.suspended && node.bondWei > thresholdsWei[node.role]
  }

  getEpoch(): number {
    return Math.floor(this.state.now / this.parameters.epochSeconds)
  }

  /** Active bond at the end of `epoch`, or now if that is still to come. */
  getActiveBond(node: NodeModel, epoch: number): bigint {
    return node.activeBonds.findLast((entry) => entry.epoch <= epoch)?.wei ?? 0n
  }

  liveShares(pool: PoolModel, held: { shares: bigint; generation: bigint }): bigint {
    return held.generation === pool.generation ? held.shares : 0n
  }

  getThawPool(thaw: ThawModel): PoolModel {
    const node = this.getNode(thaw.node)
    return thaw.kind === 0 ? node.thawingBond : node.thawingVotes
  }

  // ---- money ----

  stake(account: number, wei: bigint): void {
    this.receive(wei)
    this.addFree(account, wei)
  }

  withdraw(account: number, thaws: readonly ThawModel[], freeWei: bigint | 'all'): void {
    for (const thaw of thaws) this.release(account, thaw)
    const paidWei = freeWei === 'all' ? find(this.state.freeWei[account]) : freeWei
    this.takeFree(account, paidWei)
    this.state.balanceWei -= paidWei
  }

  bond(account: number, wei: bigint): void {
    refuseIf(wei === 0n, 'AmountZero')
    const node = this.getRegistered(account)
    this.change(account, () => {
      this.takeFree(account, wei)
      node.bondWei += wei
    })
  }

  unbond(account: number, wei: bigint): void {
    refuseIf(wei === 0n, 'AmountZero')
    const node = this.getNode(account)
    refuseIf(wei > node.bondWei, 'InsufficientBond')
    this.change(account, () => {
      node.bondWei -= wei
      this.startThaw(account, account, 0, wei)
    })
  }

  vote(account: number, index: number, wei: bigint): bigint {
    const node = this.getRegistered(index)
    return this.change(
      index,
      () => {
        this.takeFree(account, wei)
        const { shares, paidWei } = sellShares(node.votes, wei)
        this.addFree(account, wei - paidWei)
        refuseIf(wei < minimumVoteWei || shares < minimumShares, 'VoteTooSmall')
        refuseIf(node.votes.assetsWei > votesPerBond * node.bondWei, 'VotesOverLimit')
        const { generation } = node.votes
        const position = this.takePosition(account, index)
        this.state.positions.push({ account, node: index, shares: this.liveShares(node.votes, position) + shares, generation })
        return shares
      },
      true,
    )
  }

  unvote(account: number, index: number, shares: bigint): void {
    refuseIf(shares === 0n, 'AmountZero')
    const node = this.getNode(index)
    this.change(
      index,
      () => {
        const held = this.liveShares(node.votes, this.takePosition(account, index))
        refuseIf(shares > held, 'InsufficientShares')
        const { amountWei, dustWei } = exitPool(node.votes, shares)
        const kept = held - shares
        refuseIf(kept > 0n && (kept < minimumShares || toAssets(node.votes, kept) < minimumVoteWei), 'VoteTooSmall')
        if (kept > 0n) this.state.positions.push({ account, node: index, shares: kept, generation: node.votes.generation })
        this.state.undistributedWei += dustWei
        this.startThaw(account, index, 1, amountWei)
      },
      true,
    )
  }

  // ---- nodes ----

  register(account: number, role: RoleNumber, shareBps: bigint, wei: bigint): void {
    const node = this.getNode(account)
    refuseIf(node.registered, 'AlreadyRegistered')
    refuseIf(node.bondWei + wei <= thresholdsWei[role], 'BondTooLow')
    const counts = [1, 2].some((epochs) => this.getActiveBond(node, this.getEpoch() - epochs) > 0n)
    refuseIf(node.role !== 0 && node.role !== role && (counts || node.votes.shares > 0n), 'RoleLocked')
    this.change(account, () => {})
    this.settleRole(role)
    node.role = role
    node.index = this.state.streams[role].index
    if (node.votes.shares === 0n) Object.assign(node, { shareBps: 0n, nextShare: undefined })
    this.changeShare(node, shareBps)
    this.change(account, () => {
      this.takeFree(account, wei)
      Object.assign(node, { registered: true, registeredAt: this.state.now, nonce: node.nonce + 1n, bondWei: node.bondWei + wei })
    })
  }

  deregister(account: number): void {
    const node = this.getRegistered(account)
    this.change(account, () => {
      if (node.bondWei > 0n) this.startThaw(account, account, 0, node.bondWei)
      Object.assign(node, { registered: false, bondWei: 0n })
    })
  }

  setVoterShare(account: number, bps: bigint): void {
    const node = this.getRegistered(account)
    refuseIf(bps > allBps, 'VoterShareTooHigh')
    this.change(account, () => this.changeShare(node, bps))
  }

  rest(index: number): void {
    const node = this.getRegistered(index)
    this.change(index, () => {
      node.away = true
    })
  }

  rejoin(index: number): void {
    const node = this.getRegistered(index)
    refuseIf(this.state.now < node.jailedUntil, 'StillJailed')
    refuseIf(node.suspended, 'StillSuspended')
    this.change(index, () => {
      node.away = false
    })
  }

  // ---- rewards ----

  fund(role: RoleNumber, wei: bigint): void {
    this.receive(wei)
    this.settleRole(role)
    addToStream(this.state.streams[role], wei, this.parameters.rewardSeconds)
  }

  fundPool(wei: bigint): void {
    this.receive(wei)
    this.state.undistributedWei += wei
  }

  pour(): void {
    const halfWei = this.state.undistributedWei / 2n
    const parts: Record<RoleNumber, bigint> = { 1: this.state.undistributedWei - halfWei, 2: halfWei }
    this.state.undistributedWei = 0n
    for (const role of roles) {
      this.settleRole(role)
      addToStream(this.state.streams[role], parts[role], this.parameters.rewardSeconds)
    }
  }

  settle(index: number): void {
    this.change(index, () => {}, true)
  }

  claim(index: number): bigint {
    const node = this.getNode(index)
    return this.change(index, () => {
      const wei = node.rewardsWei
      node.rewardsWei = 0n
      this.addFree(index, wei)
      return wei
    })
  }

  // ---- the other contracts ----

  creditIncome(index: number, wei: bigint): void {
    this.receive(wei)
    this.addIncome(index, wei)
  }

  claimBond(index: number, wei: bigint): ClaimModel & { takenWei: bigint } {
    const node = this.getNode(index)
    return this.change(index, () => {
      const takenWei = least(wei, node.bondWei)
      node.bondWei -= takenWei
      const claim = { node: index, shares: enterPool(node.thawingBond, takenWei), generation: node.thawingBond.generation }
      this.state.claims.push(claim)
      return { ...claim, takenWei }
    })
  }

  payClaim(claim: ClaimModel, miner: number): bigint {
    const amountWei = this.burnClaim(claim)
    this.addIncome(miner, amountWei)
    return amountWei
  }

  returnClaim(claim: ClaimModel): bigint {
    const node = this.getNode(claim.node)
    return this.change(claim.node, () => {
      const amountWei = this.burnClaim(claim)
      node.bondWei += amountWei
      return amountWei
    })
  }

  penalise(index: number, wei: bigint): bigint {
    const node = this.getNode(index)
    return this.change(index, () => {
      const takenWei = least(wei, node.bondWei)
      node.bondWei -= takenWei
      this.state.undistributedWei += takenWei
      return takenWei
    })
  }

  slash(index: number, wei: bigint, refillWei: bigint, cutBps: bigint): { takenWei: bigint; paidWei: bigint } {
    const node = this.getNode(index)
    const allWei = node.bondWei + node.thawingBond.assetsWei
    const askedWei = least(wei, allWei)
    if (askedWei === 0n) return { takenWei: 0n, paidWei: 0n }
    return this.change(index, () => {
      const thawingWei = floor(multiply(toFraction(node.thawingBond.assetsWei), toFraction(askedWei, allWei)))
      node.bondWei -= askedWei - thawingWei
      const takenWei = askedWei - thawingWei + lowerPool(node.thawingBond, thawingWei)
      const votesWei = slashVotes(node, toFraction(askedWei, allWei))
      const refilledWei = least(refillWei, takenWei)
      const paidWei = refilledWei + ((takenWei - refilledWei) * cutBps) / allBps
      this.state.undistributedWei += takenWei - paidWei + votesWei
      this.state.balanceWei -= paidWei
      return { takenWei, paidWei }
    })
  }

  jail(index: number, until: number): void {
    const node = this.getNode(index)
    this.change(index, () => {
      Object.assign(node, { away: true, jailedUntil: Math.max(node.jailedUntil, until) })
    })
  }

  suspend(index: number): void {
    const node = this.getNode(index)
    this.change(index, () => {
      node.suspended = true
    })
  }

  resume(index: number): void {
    const node = this.getNode(index)
    this.change(index, () => {
      node.suspended = false
    })
  }

  // ---- inside ----

  /** Settles the node, and its drip where the vote pool is entered or left, makes the change, and lets it count from now on. */
  private change<T>(index: number, act: () => T, withDrip = false): T {
    const node = this.getNode(index)
    if (node.role !== 0) this.settleRole(node.role)
    this.carryIn(index, withDrip)
    const value = act()
    if (node.role === 0) return value
    const active = this.isActive(node)
    const weightWei = active ? node.bondWei + least(node.votes.assetsWei, votesPerBond * node.bondWei) : 0n
    this.state.streams[node.role].weightWei += weightWei - node.weightWei
    node.weightWei = weightWei
    const epoch = this.getEpoch()
    if (node.activeBonds.at(-1)?.epoch === epoch) node.activeBonds.pop()
    node.activeBonds.push({ epoch, wei: active ? node.bondWei : 0n })
    return value
  }

  private settleRole(role: RoleNumber): void {
    const earners = this.state.nodes.filter((node) => node.role === role && node.weightWei > 0n)
    settleStream(this.state.streams[role], this.state.now, this.parameters.rewardSeconds, earners)
  }

  /** The node's part of a settled stream and its drip, into its buckets; then a drop of the share that is due. */
  private carryIn(index: number, withDrip: boolean): void {
    const node = this.getNode(index)
    const earnedWei = node.role === 0 ? 0n : settleEarner(this.state.streams[node.role], node)
    const hasVoters = node.votes.shares > 0n
    const drippedWei = withDrip || !hasVoters ? node.drip.maturedWei + moveDrip(node.drip, this.state.now) : 0n
    if (withDrip || !hasVoters) node.drip.maturedWei = 0n
    const votersWei = hasVoters ? floor(multiply(toFraction(earnedWei), toFraction(node.shareBps, allBps))) + drippedWei : 0n
    node.votes.assetsWei += votersWei
    node.rewardsWei += earnedWei + drippedWei - votersWei
    if (node.nextShare && this.state.now >= node.nextShare.at) Object.assign(node, { shareBps: node.nextShare.bps, nextShare: undefined })
  }

  private addIncome(index: number, wei: bigint): void {
    const node = this.getNode(index)
    const votersWei = node.votes.shares > 0n ? floor(multiply(toFraction(wei), toFraction(node.shareBps, allBps))) : 0n
    node.rewardsWei += wei - votersWei
    if (votersWei === 0n) return
    node.drip.maturedWei += moveDrip(node.drip, this.state.now)
    node.drip.waitingWei += votersWei
    Object.assign(node.drip, { startAt: this.state.now, endsAt: this.state.now + this.parameters.dripSeconds })
  }

  private changeShare(node: NodeModel, bps: bigint): void {
    if (bps >= node.shareBps) Object.assign(node, { shareBps: bps, nextShare: undefined })
    else node.nextShare = { bps, at: this.state.now + this.parameters.thawSeconds }
  }

  private startThaw(account: number, index: number, kind: KindNumber, wei: bigint): void {
    const releaseAt = this.state.now + this.parameters.thawSeconds
    const fresh: ThawModel = { account, node: index, kind, releaseAt, shares: 0n, generation: 0n }
    const same = this.state.thaws.find((thaw) => thaw.account === account && thaw.node === index && thaw.kind === kind && thaw.releaseAt === releaseAt)
    const thaw = same ?? fresh
    if (!same) this.state.thaws.push(thaw)
    const pool = this.getThawPool(thaw)
    const shares = enterPool(pool, wei)
    Object.assign(thaw, { shares: this.liveShares(pool, thaw) + shares, generation: pool.generation })
  }

  private release(account: number, released: ThawModel): void {
    const { node, kind, releaseAt } = released
    const found = this.state.thaws.find((thaw) => thaw.account === account && thaw.node === node && thaw.kind === kind && thaw.releaseAt === releaseAt)
    const thaw = find(found, 'ThawUnknown')
    refuseIf(this.state.now < thaw.releaseAt, 'ThawNotReleased')
    this.state.thaws = this.state.thaws.filter((other) => other !== thaw)
    const pool = this.getThawPool(thaw)
    const { amountWei, dustWei } = exitPool(pool, this.liveShares(pool, thaw))
    this.state.undistributedWei += dustWei
    this.addFree(account, amountWei)
  }

  private burnClaim(claim: ClaimModel): bigint {
    const held = find(this.state.claims.find((other) => other.node === claim.node && other.shares === claim.shares && other.generation === claim.generation))
    this.state.claims = this.state.claims.filter((other) => other !== held)
    const pool = this.getNode(claim.node).thawingBond
    const { amountWei, dustWei } = exitPool(pool, this.liveShares(pool, held))
    this.state.undistributedWei += dustWei
    return amountWei
  }

  private takePosition(account: number, index: number): PositionModel {
    const position = this.state.positions.find((other) => other.account === account && other.node === index)
    this.state.positions = this.state.positions.filter((other) => other !== position)
    return position ?? { account, node: index, shares: 0n, generation: 0n }
  }

  private getRegistered(index: number): NodeModel {
    const node = this.getNode(index)
    refuseIf(!node.registered, 'NotRegistered')
    return node
  }

  private receive(wei: bigint): void {
    refuseIf(wei === 0n, 'AmountZero')
    this.state.balanceWei += wei
  }

  private addFree(account: number, wei: bigint): void {
    this.state.freeWei[account] = find(this.state.freeWei[account]) + wei
  }

  private takeFree(account: number, wei: bigint): void {
    const freeWei = find(this.state.freeWei[account])
    refuseIf(wei > freeWei, 'InsufficientFree')
    this.state.freeWei[account] = freeWei - wei
  }
}

/** Takes a tenth of `bondPart`, in 1e18ths, from votes and thawing votes, at most 2 %. Returns what it took. */
function slashVotes(node: NodeModel, bondPart: Fraction): bigint {
  const tenth = floorTo(divide(bondPart, toFraction(10n)), 10n ** 18n)
  const part = isAtMost(tenth, mostOfVotes) ? tenth : mostOfVotes
  return [node.votes, node.thawingVotes].reduce((sum, pool) => sum + lowerPool(pool, floor(multiply(toFraction(pool.assetsWei), part))), 0n)
}

/** Counts what has dripped until `now` as no longer waiting, and returns it. */
function moveDrip(drip: DripModel, now: number): bigint {
  const part = now >= drip.endsAt ? toFraction(1n) : toFraction(BigInt(now - drip.startAt), BigInt(drip.endsAt - drip.startAt))
  const movedWei = floor(multiply(toFraction(drip.waitingWei), part))
  drip.waitingWei -= movedWei
  drip.startAt = now
  return movedWei
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function refuseIf(condition: boolean, reason: string): void {
  if (condition) throw new Refusal(reason)
}

function find<T>(value: T | undefined, reason = 'Unknown'): T {
  if (value === undefined) throw new Refusal(reason)
  return value
}
