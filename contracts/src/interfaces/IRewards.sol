// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Role} from "./Role.sol";

/// @title IRewards
/// @notice The specification of rewards. They are part of the staking contract (an abstract contract of their own in
/// the source): each touch of a node then costs one slot and no call.
///
/// **Streams.** Each role has one. Its money flows evenly over periods of {rewardSeconds}; what arrives while a period
/// runs waits for the next. So funding never lowers the present rate, never moves the end of what is funded, and cannot
/// be caught by stake that comes just for it. The clock stands while the role's active weight is zero. Per second, a
/// node earns rate x its weight / the role's weight.
///
/// **Shares.** Whatever a node earns is split by its voter share. The voters' part raises the price of a vote share;
/// the owner's waits in the node's rewards until {claim}. Without voters all is the owner's. A *stream's* part is
/// settled before every change of weight, votes or voter share, so nobody gets of what was earned before entering. Task
/// income comes in lumps, so its voters' part drips into the pool over {dripSeconds}; each new lump restarts the drip
/// of what is left. A drop of the voter share that is due takes effect with the first settlement after its time, which
/// anybody can bring about: no income of before is split by the lower share.
///
/// **Pool.** What slashes, penalties and lost bonds leave, and dust, gather in {undistributedWei}. {pour} gives half to
/// each role's stream, where it waits for the next period. So jurors, who are miners, have little and late of what
/// their verdict takes, and a lone coordinator cannot slash its own miner into its own stream.
///
/// **Rounding** is down. A settlement of a role divides once: what flowed since the last one, over the end of a period
/// too, and what that one carried, by the role's weight, in 1/2^72 wei per wei. The remainder, under weight / 2^72 wei,
/// is carried in 1/256 wei: it goes to who has weight at the next settlement of a later second. Within one second, where no
/// period ran since the last settlement, or nobody had weight, nothing is divided and the carry waits. So the index loses under
/// 1/256 wei per settlement of a role, a node's share under 1 wei per settlement of the node. That is the contract's
/// only dust: money that it holds and that is in no bucket. The voters' part of what a node earned and of its income is
/// rounded down, the owner's is the rest. What has dripped is rounded down at each settlement and each lump, and the
/// drip goes on from there with what is left, over the time that is left. A settlement of the drip is before every entry into
/// the vote pool and exit from it, by {settle}, and at any settlement while the pool is empty (then it is the owner's); views
/// show it at once.
interface IRewards {
    /// @param rateWei wei per second now
    /// @param endsAt when the running period ends if weight stays above zero; not later than now: none runs
    /// @param nextWei what waits for the next period
    struct StreamView {
        uint256 rateWei;
        uint64 endsAt;
        uint256 nextWei;
        uint256 weightWei;
    }

    event Funded(Role indexed role, address indexed from, uint256 amountWei);
    event PoolFunded(address indexed from, uint256 amountWei);
    event Poured(uint256 minersWei, uint256 coordinatorsWei);
    event PeriodStarted(Role indexed role, uint256 rateWei, uint64 endsAt);
    /// @notice Emitted when a settlement moved anything: `ownerWei` to the node's rewards, `votersWei` into its vote
    /// pool.
    event RewardsSettled(address indexed node, uint256 ownerWei, uint256 votersWei);
    /// @notice `amountWei` of what the last {RewardsSettled} moved is task income that had dripped, and was told by
    /// {IncomeCredited} before.
    event Dripped(address indexed node, uint256 amountWei);
    event IncomeCredited(address indexed node, uint256 ownerWei, uint256 votersWei);
    event Claimed(address indexed node, uint256 amountWei);

    /// @notice Adds the sent value to the role's stream. If no period runs, one begins now. Emits {Funded},
    /// {PeriodStarted}.
    function fund(Role role) external payable;

    /// @notice Moves {undistributedWei} to the two streams, half each, an odd wei to the miners'. Emits {Poured}.
    function pour() external;

    /// @notice Carries what `node` has earned into its buckets. For anybody; every action on the node does it by
    /// itself.
    function settle(address node) external;

    /// @notice Settles, then moves all of the node's rewards into its owner's free stake. For the owner or its
    /// operator. Emits {Claimed}.
    function claim(address node) external returns (uint256 amountWei);

    /// @notice What {claim} would move now.
    function rewardsOf(address node) external view returns (uint256 ownerWei);

    /// @notice Task income of the voters that is not yet in the pool, and when the last of it will be.
    function dripOf(address node) external view returns (uint256 waitingWei, uint64 endsAt);

    function getStream(Role role) external view returns (StreamView memory);

    /// @notice The reward pool that {pour} divides.
    function undistributedWei() external view returns (uint256);

    /// @notice Length of a stream's period, seconds: 1 minute (devnet) to 365 days.
    function rewardSeconds() external view returns (uint64);

    /// @notice Time over which the voters' part of task income drips, seconds: 1 second (devnet) to 30 days; 1 day.
    function dripSeconds() external view returns (uint64);
}
