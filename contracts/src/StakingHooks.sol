// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Rewards} from "./Rewards.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {IStakingHooks} from "./interfaces/IStakingHooks.sol";
import {Pool, SharePool, StoredPool} from "./libraries/SharePool.sol";

/// @title StakingHooks
/// @notice What the court, the payments and the epochs contract may do to stake; see {IStakingHooks} for what is promised.
abstract contract StakingHooks is Rewards {
    using SafeCast for uint256;
    using SharePool for Pool;
    using SharePool for StoredPool;

    struct Freeze {
        uint96 bondWei;
        uint40 until;
    }

    uint256 private constant WAD = 1e18;
    uint256 private constant MAX_VOTES_WAD = 0.02e18;
    uint256 private constant MAX_CUT_BPS = 2_500;

    mapping(address node => Freeze) internal _freezes;

    modifier onlyCourt() {
        _requireCourt();
        _;
    }

    modifier onlyPayments() {
        _requirePayments();
        _;
    }

    modifier onlyEpochs() {
        _requireCaller(epochs);
        _;
    }

    function _requireCourt() private view {
        _requireCaller(court);
    }

    function _requirePayments() private view {
        _requireCaller(payments);
    }

    function _requireCaller(address caller) private view {
        if (msg.sender != caller) revert CallerInvalid(msg.sender);
    }

    // ---- the court ----

    /// @inheritdoc IStakingHooks
    function slash(address node, uint256 bondWei, uint256 refillWei, uint16 cutBps, uint256 caseId)
        external
        onlyCourt
        nonReentrant
        returns (uint256 takenWei, uint256 paidWei)
    {
        if (cutBps > MAX_CUT_BPS) revert ParameterInvalid("cutBps");
        (uint256 activeWei, uint256 thawingWei, uint256 votesWei) = _take(node, bondWei);
        takenWei = activeWei + thawingWei;
        if (takenWei == 0) return (0, 0);
        paidWei = Math.min(refillWei, takenWei);
        paidWei += (takenWei - paidWei) * cutBps / BPS;
        _addToPool(takenWei - paidWei + votesWei);
        emit Slashed(node, caseId, activeWei, thawingWei, votesWei, paidWei);
        if (paidWei != 0) _send(court, paidWei);
    }

    function _take(address node, uint256 bondWei)
        private
        returns (uint256 activeWei, uint256 thawingWei, uint256 votesWei)
    {
        Node storage stored = _nodes[node];
        Pool memory thawingBond = stored.thawingBond.load();
        uint256 allWei = stored.bondWei + thawingBond.assetsWei;
        bondWei = Math.min(bondWei, allWei);
        if (bondWei == 0) return (0, 0, 0);
        // First, so that nothing is taken of what was earned and is not in the vote pool yet.
        Open memory slashed = _open(node, false);

        uint256 votesWad = Math.min(bondWei * (WAD / 10) / allWei, MAX_VOTES_WAD);
        Pool memory thawingVotes = stored.thawingVotes.load();
        votesWei = _lower(slashed.votes, votesWad, WAD) + _lower(thawingVotes, votesWad, WAD);
        stored.thawingVotes.save(thawingVotes);
        // The active part is the rest of `bondWei`, so that the sum is exact: its own part rounded up, never more than there is.
        activeWei = bondWei - thawingBond.assetsWei * bondWei / allWei;
        thawingWei = _lower(thawingBond, bondWei, allWei);
        stored.thawingBond.save(thawingBond);
        slashed.bondWei -= activeWei;
        _close(slashed);
    }

    /// @dev Takes `part`/`whole` of a pool, rounded down, or all of it at the price floor.
    function _lower(Pool memory pool, uint256 part, uint256 whole) private pure returns (uint256 takenWei) {
        return pool.lower(pool.assetsWei * part / whole);
    }

    /// @inheritdoc IStakingHooks
    function jail(address node, uint64 until) external onlyCourt nonReentrant {
        Open memory jailed = _open(node, false);
        // Clamped: a date beyond 2106 must not keep the court from closing a case.
        jailed.jailedUntil = Math.max(jailed.jailedUntil, Math.min(until, type(uint32).max));
        jailed.flags |= AWAY;
        _close(jailed);
        emit Jailed(node, uint64(jailed.jailedUntil));
    }

    /// @inheritdoc IStakingHooks
    function freeze(address node, uint256 bondWei, uint64 until) external onlyCourt {
        _freezes[node] = Freeze(bondWei.toUint96(), uint256(until).toUint40());
        emit Frozen(node, bondWei, until);
    }

    /// @inheritdoc IStaking
    function freezeOf(address node) public view returns (uint256 bondWei, uint64 until) {
        Freeze memory held = _freezes[node];
        if (held.bondWei != 0 && block.timestamp < held.until) return (held.bondWei, held.until);
    }

    // ---- payments ----

    /// @inheritdoc IStakingHooks
    function creditIncome(address node) external payable onlyPayments nonReentrant {
        _requireFit();
        _creditIncome(node, msg.value);
    }

    /// @inheritdoc IStakingHooks
    function claimBond(address node, uint256 amountWei)
        external
        onlyPayments
        nonReentrant
        returns (uint256 takenWei, uint128 shares, uint32 generation)
    {
        takenWei = _takeBond(node, amountWei);
        StoredPool storage thawing = _nodes[node].thawingBond;
        Pool memory pool = thawing.load();
        (shares, generation) = (pool.enter(takenWei).toUint128(), uint32(pool.generation));
        thawing.save(pool);
        emit BondClaimed(node, takenWei, shares, generation);
    }

    /// @inheritdoc IStakingHooks
    function payClaim(address node, uint128 shares, uint32 generation, address miner)
        external
        onlyPayments
        nonReentrant
        returns (uint256 amountWei)
    {
        amountWei = _burnClaim(node, shares, generation);
        emit BondClaimPaid(node, miner, shares, amountWei);
        if (amountWei != 0) _creditIncome(miner, amountWei);
    }

    /// @inheritdoc IStakingHooks
    function claimWorth(address node, uint128 shares, uint32 generation) external view returns (uint256 amountWei) {
        Pool memory pool = _nodes[node].thawingBond.load();
        return pool.toAssets(pool.liveShares(shares, generation));
    }

    /// @inheritdoc IStakingHooks
    function returnClaim(address node, uint128 shares, uint32 generation)
        external
        onlyPayments
        nonReentrant
        returns (uint256 amountWei)
    {
        Open memory returned = _open(node, false);
        amountWei = _burnClaim(node, shares, generation);
        returned.bondWei += amountWei;
        _close(returned);
        emit BondClaimReturned(node, shares, amountWei);
    }

    /// @inheritdoc IStakingHooks
    function penalise(address node, uint256 amountWei) external onlyPayments nonReentrant returns (uint256 takenWei) {
        takenWei = _takeBond(node, amountWei);
        _addToPool(takenWei);
        emit Penalised(node, takenWei);
    }

    /// @dev Takes at most `amountWei` of the node's active bond, for the caller to put elsewhere.
    function _takeBond(address node, uint256 amountWei) private returns (uint256 takenWei) {
        Open memory taken = _open(node, false);
        takenWei = Math.min(amountWei, taken.bondWei);
        taken.bondWei -= takenWei;
        _close(taken);
    }

    function _burnClaim(address node, uint128 shares, uint32 generation) private returns (uint256 amountWei) {
        StoredPool storage thawing = _nodes[node].thawingBond;
        Pool memory pool = thawing.load();
        uint256 dustWei;
        (amountWei, dustWei) = pool.exit(pool.liveShares(shares, generation));
        thawing.save(pool);
        _addToPool(dustWei);
    }

    // ---- epochs ----

    /// @inheritdoc IStakingHooks
    function suspend(address node) external onlyEpochs nonReentrant {
        emit Suspended(node);
        _setFlag(node, SUSPENDED, true);
    }

    /// @inheritdoc IStakingHooks
    function resume(address node) external onlyEpochs nonReentrant {
        emit Resumed(node);
        _setFlag(node, SUSPENDED, false);
    }

    /// @dev Sets or clears what keeps the node inactive.
    function _setFlag(address node, uint256 flag, bool on) internal {
        Open memory changed = _open(node, false);
        changed.flags = on ? changed.flags | flag : changed.flags & ~flag;
        _close(changed);
    }
}
