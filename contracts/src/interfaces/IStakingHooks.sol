// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Role} from "./Role.sol";

/// @title IStakingHooks
/// @notice What the staking contract is to the other contracts: what they read of it, and the few things that they
/// alone may do to stake. The callers are immutables of the staking contract, precomputed addresses of contracts that
/// nobody owns: {payments}, {court}, {epochs}. Every restricted function reverts {CallerInvalid} for anybody else.
///
/// None of these functions calls out but for {slash}, which sends `paidWei` to the court's `receive`. None of them can
/// make an exit of somebody else fail: a slash, a claim and a penalty lower what is there, in one ratio, and never a
/// time.
interface IStakingHooks {
    /// @notice `bondWei` left the active bond, `thawingBondWei` the thawing bond, `votesWei` the votes and thawing
    /// votes. `paidWei` of the bond part went to the court, the rest of all of it to the reward pool.
    /// @param caseId the court's case (see ICourt), where reason and evidence are
    event Slashed(
        address indexed node,
        uint256 indexed caseId,
        uint256 bondWei,
        uint256 thawingBondWei,
        uint256 votesWei,
        uint256 paidWei
    );
    /// @notice `amountWei` of the active bond went to the reward pool, because a bond claim was not covered in time.
    event Penalised(address indexed node, uint256 amountWei);
    /// @notice The node went inactive and may {IStaking-rejoin} from `until` on.
    event Jailed(address indexed node, uint64 until);
    /// @notice Until `until` at most, withdrawals leave `bondWei` of bond and thawing bond in the node. 0: nothing is
    /// held.
    event Frozen(address indexed node, uint256 bondWei, uint64 until);
    event Suspended(address indexed node);
    event Resumed(address indexed node);
    /// @notice `amountWei` moved from the coordinator's bond into its thaw queue, for {payments}.
    event BondClaimed(address indexed node, uint256 amountWei, uint256 shares, uint32 generation);
    event BondClaimPaid(address indexed node, address indexed miner, uint256 shares, uint256 amountWei);
    event BondClaimReturned(address indexed node, uint256 shares, uint256 amountWei);

    error CallerInvalid(address caller);
    /// @notice A coordinator's bond stands for its lines, claims and penalties (IPayments.requiredBondWei).
    error BondCommitted(uint256 remainingWei, uint256 requiredWei);

    // ---- wiring ----

    function payments() external view returns (address);

    function court() external view returns (address);

    function epochs() external view returns (address);

    // ---- signatures and keys ----

    function domainSeparator() external view returns (bytes32);

    /// @notice The node for which a signature by `operator` with `issuedAt` counts now, or zero. A current operator
    /// counts always. A rotated one counts until rotation + one thaw, and only for what carries an `issuedAt` up to the
    /// rotation: a stolen old key cannot sign anything new, and what it back-dates dies with the thaw.
    function partyOf(address operator, uint64 issuedAt) external view returns (address node);

    /// @notice True for the owner itself, registered or not, and for its current operator.
    function actsFor(address account, address node) external view returns (bool);

    /// @notice The node that `operator`'s key belongs to for ever (zero: nobody's), and until when its signatures
    /// count.
    function operatorRecord(address operator) external view returns (address node, uint64 validUntil);

    // ---- standing ----

    /// @notice The role that the node is registered in, `None` when it is not.
    function roleOf(address node) external view returns (Role);

    function isActive(address node) external view returns (bool);

    /// @notice The owner's active bond, and what is worth its thawing bond, claims in its queue included: together what
    /// a slash can reach.
    function bondOf(address node) external view returns (uint256 bondWei, uint256 thawingBondWei);

    /// @notice Bond with which `node` was an active *miner* at the end of `epoch` (0: inactive, another role or
    /// nobody). Exact for the current epoch and the one before; for older epochs, exact as long as they are at most two
    /// before the last epoch in which the node's active bond changed, so a change in each of two successive epochs does
    /// not hide what was before them. Reverts {IStaking-ParameterInvalid}("epoch") for a later epoch, and for one of
    /// which nothing is known any more.
    function minerBondAt(address node, uint64 epoch) external view returns (uint256);

    /// @notice Sum over the role's active nodes, for the current epoch and the one before.
    function totalActiveBondAt(Role role, uint64 epoch) external view returns (uint256);

    function currentEpoch() external view returns (uint64);

    /// @notice Length of the epochs in which bonds are kept (not the coordinators' draw epochs, see IEpochs).
    function epochSeconds() external view returns (uint64);

    function thawSeconds() external view returns (uint64);

    /// @notice The longest that all challenges together can delay one exit: one dispute.
    function freezeSeconds() external view returns (uint64);

    // ---- the court ----

    /// @notice Takes `bondWei` (at most all) of `node`'s bond and thawing bond, in one ratio b = bondWei / (bond +
    /// thawing bond), and min(b / 10, 2 %) of its votes and of its thawing votes. Each pool's part is rounded down, b / 10
    /// in 1e18ths before; the active bond bears the rest of `bondWei`. Settles first. Works in every state of the node; 0,
    /// and no settlement, where nothing is left. A pool that falls below the price floor of SharePool is emptied: the return values are
    /// what was really taken.
    ///
    /// Of the bond part, first up to `refillWei`, then `cutBps`/10,000 of the rest go to the court by plain transfer;
    /// everything else goes to the reward pool. Nobody else gets anything. Requires cutBps <= 2,500. Gas constant in
    /// voters and exits. Emits {Slashed}, NodeWeightChanged.
    /// @return takenWei the bond part
    /// @return paidWei what the court got of it
    function slash(address node, uint256 bondWei, uint256 refillWei, uint16 cutBps, uint256 caseId)
        external
        returns (uint256 takenWei, uint256 paidWei);

    /// @notice Makes `node` inactive; it may rejoin from `until` on (never shortened by a later call). `until` = now: a
    /// juror who was silent, who earns nothing until it returns. Leaving and registering again does not end it. Emits
    /// {Jailed}.
    function jail(address node, uint64 until) external;

    /// @notice Sets what withdrawals of `node`'s *bond* leave behind until `until`: `bondWei` of bond + thawing bond in
    /// sum. The court passes what all its open disputes on the node could still take; 0 when none is left. One exit is
    /// held until min(until, its release + {freezeSeconds}) whatever the court passes; what exceeds `bondWei` leaves at
    /// its time. Votes are never held. Emits {Frozen}.
    function freeze(address node, uint256 bondWei, uint64 until) external;

    // ---- payments ----

    /// @notice Splits the sent value: the voters' part, rounded down, by the voter share as the last settlement left it, drips
    /// into the vote pool over {IRewards-dripSeconds}; the rest is the owner's, to claim. Without voters all is the owner's. Touches no weight.
    /// For {payments}; emits {IRewards-IncomeCredited}.
    function creditIncome(address node) external payable;

    /// @notice Moves at most `amountWei` of the coordinator's *active* bond into its thaw queue, as shares that the
    /// payments contract keeps. Behind any slash, never from votes. The time is the payments contract's to keep. Emits
    /// {BondClaimed}, NodeWeightChanged.
    /// @return takenWei what was there of it, with the shares that it bought and their generation
    function claimBond(address node, uint256 amountWei)
        external
        returns (uint256 takenWei, uint128 shares, uint32 generation);

    /// @notice Burns claim shares and credits what they are worth as `miner`'s income, like {creditIncome}. 0 for
    /// shares of a generation that a slash has emptied. Emits {BondClaimPaid}.
    function payClaim(address node, uint128 shares, uint32 generation, address miner)
        external
        returns (uint256 amountWei);

    /// @notice What claim shares are worth now.
    function claimWorth(address node, uint128 shares, uint32 generation) external view returns (uint256 amountWei);

    /// @notice Burns claim shares and adds what they are worth to the coordinator's bond. Emits {BondClaimReturned}.
    function returnClaim(address node, uint128 shares, uint32 generation) external returns (uint256 amountWei);

    /// @notice Moves at most `amountWei` of the coordinator's active bond to the reward pool. Emits {Penalised}.
    function penalise(address node, uint256 amountWei) external returns (uint256 takenWei);

    // ---- epochs ----

    /// @notice Makes `node` inactive until {resume}. Leaving and registering again does not end it. Emits {Suspended}.
    function suspend(address node) external;

    function resume(address node) external;

    // ---- anybody ----

    /// @notice Adds the sent value to the reward pool (see IRewards).
    function fundPool() external payable;
}
