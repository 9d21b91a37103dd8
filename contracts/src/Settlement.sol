// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {StakingBase} from "./StakingBase.sol";
import {IRewards} from "./interfaces/IRewards.sol";
import {StakingParameters} from "./interfaces/IStaking.sol";
import {Role} from "./interfaces/Role.sol";
import {Pool, SharePool, StoredPool} from "./libraries/SharePool.sol";

/// @title Settlement
/// @notice A node is read once, settled in memory, changed there, and written once. What changes its weight, votes, voter
/// share or rewards does it between {_open} and {_close}, so nothing is earned with what came later, and the totals always
/// agree with the nodes. Views show what {_preview} finds: a settlement that nobody has paid for.
abstract contract Settlement is StakingBase {
    using SafeCast for uint256;
    using SharePool for Pool;
    using SharePool for StoredPool;

    /// @dev A `StoredDrip` as it has flowed until now.
    struct Drip {
        uint256 waitingWei;
        uint256 maturedWei;
        uint256 leftSeconds;
    }

    /// @dev A role's weight, index and stream, see `RoleBook`.
    struct Flow {
        uint256 weightWei;
        uint256 index;
        uint256 carry;
        uint256 rateWei;
        uint256 nextWei;
        uint256 endsAt;
        // The stream is not what is stored.
        bool moved;
        // Rate of the period that began since the last settlement, 0 if none did.
        uint256 startedRateWei;
    }

    /// @dev A node between {_open} and {_close}: as stored, then settled. Its storage is not to be written meanwhile.
    struct Open {
        address owner;
        address operator;
        uint256 voterShareBps;
        uint256 nextVoterShareBps;
        uint256 nextVoterShareAt;
        uint256 place;
        uint256 bondWei;
        uint256 nonce;
        Role role;
        uint256 flags;
        uint256 rewardIndex;
        uint256 rewardsWei;
        uint256 jailedUntil;
        uint256 registeredAt;
        Pool votes;
        // Only if `dripped`.
        Drip drip;
        bool dripped;
        Flow flow;
        // What the settlement moved.
        uint256 ownerWei;
        uint256 votersWei;
        // Before it.
        uint256 bondBeforeWei;
        uint256 votesBeforeWei;
        uint256 activeBondBeforeWei;
        uint256 weightBeforeWei;
    }

    uint256 private constant INDEX_BITS = 72;
    uint256 private constant CARRY_BITS = 64;

    /// @inheritdoc IRewards
    uint64 public immutable rewardSeconds;

    constructor(StakingParameters memory parameters) {
        _within("rewardSeconds", parameters.rewardSeconds, 1 minutes, 365 days);
        rewardSeconds = parameters.rewardSeconds;
    }

    // ---- nodes ----

    /// @dev Settles the node's role and the node. The drip only where the vote pool is entered or left (`withDrip`) or empty: no
    /// weight earns it, and it costs a slot.
    function _open(address owner, bool withDrip) internal returns (Open memory node) {
        _read(node, owner, withDrip);
        Flow memory flow = node.flow;
        if (flow.startedRateWei != 0) emit PeriodStarted(node.role, flow.startedRateWei, uint64(flow.endsAt));
        if (node.ownerWei | node.votersWei != 0) emit RewardsSettled(owner, node.ownerWei, node.votersWei);
        if (node.drip.maturedWei != 0) emit Dripped(owner, node.drip.maturedWei);
    }

    /// @dev The node as {_open} with its drip would find it.
    function _preview(address owner) internal view returns (Open memory node) {
        _read(node, owner, true);
    }

    /// @dev Fills what it is given: each memory struct that a function returns would be made, and paid for, twice.
    function _read(Open memory node, address owner, bool withDrip) private view {
        Node storage stored = _nodes[owner];
        node.owner = owner;
        node.operator = stored.operator;
        node.voterShareBps = stored.voterShareBps;
        node.nextVoterShareBps = stored.nextVoterShareBps;
        node.nextVoterShareAt = stored.nextVoterShareAt;
        node.place = stored.place;
        node.bondWei = stored.bondWei;
        node.nonce = stored.nonce;
        node.role = stored.role;
        node.flags = stored.flags;
        node.rewardIndex = stored.rewardIndex;
        node.rewardsWei = stored.rewardsWei;
        node.jailedUntil = stored.jailedUntil;
        node.registeredAt = stored.registeredAt;
        node.votes = stored.votes.load();
        node.bondBeforeWei = node.bondWei;
        node.votesBeforeWei = node.votes.assetsWei;
        node.activeBondBeforeWei = _activeBond(node.role, node.flags, node.bondWei);
        node.weightBeforeWei = _weigh(node.activeBondBeforeWei, node.votesBeforeWei);
        _accrue(node.flow, node.role);

        uint256 earnedWei;
        unchecked {
            earnedWei = (node.weightBeforeWei * uint96(node.flow.index - node.rewardIndex)) >> INDEX_BITS;
        }
        node.rewardIndex = node.flow.index;
        node.votersWei = earnedWei * node.voterShareBps / BPS;
        node.ownerWei = earnedWei - node.votersWei;
        if (node.flags & DRIPPING != 0 && (withDrip || node.votes.shares == 0)) {
            node.dripped = true;
            _loadDrip(node.drip, owner);
            node.votersWei += node.drip.maturedWei;
        }
        // Without voters all is the owner's.
        if (node.votes.shares == 0) (node.ownerWei, node.votersWei) = (node.ownerWei + node.votersWei, 0);
        node.rewardsWei += node.ownerWei;
        node.votes.assetsWei += node.votersWei;
        // Only now: what was earned until now is split as it was announced.
        if (node.nextVoterShareAt != 0 && block.timestamp >= node.nextVoterShareAt) {
            (node.voterShareBps, node.nextVoterShareBps, node.nextVoterShareAt) = (node.nextVoterShareBps, 0, 0);
        }
    }

    /// @dev Carries all that has changed since {_open} into the role's totals and the epochs, and writes it.
    function _close(Open memory node) internal {
        Node storage stored = _nodes[node.owner];
        uint256 activeBondWei = _activeBond(node.role, node.flags, node.bondWei);
        uint256 weightWei = _weigh(activeBondWei, node.votes.assetsWei);
        bool weighs = activeBondWei != node.activeBondBeforeWei;
        if (weighs) _moveActiveBond(node, activeBondWei);
        node.flow.weightWei = node.flow.weightWei + weightWei - node.weightBeforeWei;
        _saveFlow(node.role, node.flow);

        if (node.dripped) {
            node.drip.maturedWei = 0;
            _saveDrip(node.drip, node.owner);
            if (node.drip.waitingWei == 0) node.flags ^= DRIPPING;
        }
        stored.operator = node.operator;
        stored.voterShareBps = uint16(node.voterShareBps);
        stored.nextVoterShareBps = uint16(node.nextVoterShareBps);
        stored.nextVoterShareAt = uint32(node.nextVoterShareAt);
        stored.place = uint32(node.place);
        (uint96 bondWei, uint96 rewardsWei) = (node.bondWei.toUint96(), node.rewardsWei.toUint96());
        stored.bondWei = bondWei;
        stored.role = node.role;
        stored.flags = uint8(node.flags);
        stored.rewardIndex = uint96(node.rewardIndex);
        stored.rewardsWei = rewardsWei;
        stored.jailedUntil = uint32(node.jailedUntil);
        stored.registeredAt = uint32(node.registeredAt);
        stored.votes.save(node.votes);
        if (weighs || node.bondWei != node.bondBeforeWei || node.votes.assetsWei != node.votesBeforeWei) {
            emit NodeWeightChanged(
                node.owner, node.role, activeBondWei != 0, node.bondWei, node.votes.assetsWei, weightWei
            );
        }
    }

    function _moveActiveBond(Open memory node, uint256 activeBondWei) private {
        // Below 2^32 until the year 3331 with the shortest epoch.
        uint32 epoch = uint256(currentEpoch()).toUint32();
        uint96 beforeWei = node.activeBondBeforeWei.toUint96();
        Node storage stored = _nodes[node.owner];
        if (stored.epoch != epoch) {
            // What `previousActiveBondWei` was is kept only where it tells of another epoch than the one that follows: after a
            // change in each of two successive epochs.
            uint256 flags = node.flags & ~uint256(OLDER_ZERO | OLDER_STORED);
            uint256 olderWei = stored.previousActiveBondWei;
            if (stored.epoch + 1 == epoch && olderWei != beforeWei) {
                flags |= olderWei == 0 ? OLDER_ZERO : OLDER_STORED;
                if (olderWei != 0) _olderBonds[node.owner] = olderWei;
            }
            node.flags = flags;
            (stored.previousActiveBondWei, stored.epoch) = (beforeWei, epoch);
        }
        RoleBook storage book = _roles[node.role];
        uint96 totalBondWei = book.activeBondWei;
        if (book.epoch != epoch) (book.previousActiveBondWei, book.epoch) = (totalBondWei, epoch);
        book.activeBondWei = (totalBondWei + activeBondWei - beforeWei).toUint96();
    }

    /// @dev What has flowed until now is matured.
    function _loadDrip(Drip memory drip, address owner) internal view {
        StoredDrip storage stored = _drips[owner];
        uint256 elapsed = block.timestamp - stored.startAt;
        uint256 left = stored.leftSeconds;
        uint256 waitingWei = stored.waitingWei;
        drip.leftSeconds = Math.saturatingSub(left, elapsed);
        drip.waitingWei = drip.leftSeconds == 0 ? 0 : waitingWei - waitingWei * elapsed / left;
        drip.maturedWei = stored.maturedWei + waitingWei - drip.waitingWei;
    }

    function _saveDrip(Drip memory drip, address owner) internal {
        StoredDrip storage stored = _drips[owner];
        (uint96 waitingWei, uint96 maturedWei) = (drip.waitingWei.toUint96(), drip.maturedWei.toUint96());
        (stored.waitingWei, stored.maturedWei, stored.startAt, stored.leftSeconds) =
        (waitingWei, maturedWei, uint40(block.timestamp), uint24(drip.leftSeconds));
    }

    // ---- roles ----

    /// @dev The role's weight, index and stream as a settlement now leaves them.
    function _accrue(Flow memory flow, Role role) internal view {
        RoleBook storage book = _roles[role];
        flow.weightWei = book.weightWei;
        flow.index = book.index;
        flow.carry = book.carry;
        flow.rateWei = book.rateWei;
        flow.nextWei = book.nextWei;
        flow.endsAt = book.endsAt;
        uint256 elapsed;
        unchecked {
            elapsed = uint32(block.timestamp) - book.updatedAt;
        }
        uint256 since = block.timestamp - elapsed;
        // Within a second nothing flows. What is carried waits too: it may be more than a weight that has just fallen.
        if (elapsed == 0 || flow.endsAt <= since) return;
        if (flow.weightWei == 0) {
            // The clock stands.
            flow.endsAt += elapsed;
            flow.moved = true;
            return;
        }

        uint256 left = flow.endsAt - since;
        uint256 earnedWei = flow.rateWei * Math.min(elapsed, left);
        if (elapsed >= left) {
            flow.moved = true;
            if (_startPeriod(flow, flow.endsAt)) {
                flow.startedRateWei = flow.rateWei;
                earnedWei += flow.rateWei * Math.min(elapsed - left, rewardSeconds);
                // What waits now is too little for a third.
                if (flow.endsAt <= block.timestamp) flow.rateWei = 0;
            }
        }
        uint256 numerator = (earnedWei << INDEX_BITS) + (flow.carry << CARRY_BITS);
        flow.index = uint96(flow.index + numerator / flow.weightWei);
        flow.carry = (numerator % flow.weightWei) >> CARRY_BITS;
    }

    /// @dev What does not divide by the seconds waits on.
    function _startPeriod(Flow memory flow, uint256 from) internal view returns (bool) {
        flow.rateWei = flow.nextWei / rewardSeconds;
        if (flow.rateWei == 0) return false;
        flow.nextWei %= rewardSeconds;
        flow.endsAt = from + rewardSeconds;
        return true;
    }

    function _saveFlow(Role role, Flow memory flow) internal {
        RoleBook storage book = _roles[role];
        uint96 weightWei = flow.weightWei.toUint96();
        (book.weightWei, book.index, book.carry, book.updatedAt) =
        (weightWei, uint96(flow.index), uint32(flow.carry), uint32(block.timestamp));
        if (!flow.moved) return;
        (uint96 rateWei, uint96 nextWei) = (flow.rateWei.toUint96(), flow.nextWei.toUint96());
        (book.rateWei, book.nextWei, book.endsAt) = (rateWei, nextWei, uint40(flow.endsAt));
    }
}
