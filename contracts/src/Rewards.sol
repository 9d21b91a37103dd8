// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Settlement} from "./Settlement.sol";
import {StakingParameters} from "./interfaces/IStaking.sol";
import {IRewards} from "./interfaces/IRewards.sol";
import {IStakingHooks} from "./interfaces/IStakingHooks.sol";
import {Role} from "./interfaces/Role.sol";

/// @title Rewards
/// @notice Streams, the reward pool, task income and claims; see {IRewards} for what is promised.
abstract contract Rewards is Settlement {
    using SafeCast for uint256;

    /// @inheritdoc IRewards
    uint64 public immutable dripSeconds;

    uint96 private _undistributedWei;
    /// @dev Keeps the slot non-zero when the pool is poured out: what fills it anew is a slash, whose gas is limited.
    bool private _poolKnown = true;

    constructor(StakingParameters memory parameters) {
        _within("dripSeconds", parameters.dripSeconds, 1 seconds, 30 days);
        dripSeconds = parameters.dripSeconds;
    }

    // ---- streams and the pool ----

    /// @inheritdoc IRewards
    function fund(Role role) external payable nonReentrant {
        if (role == Role.None) revert RoleInvalid(uint8(role));
        if (msg.value == 0) revert AmountZero();
        _requireFit();
        emit Funded(role, msg.sender, msg.value);
        _fund(role, msg.value);
    }

    /// @inheritdoc IStakingHooks
    function fundPool() external payable nonReentrant {
        _requireFit();
        emit PoolFunded(msg.sender, msg.value);
        _addToPool(msg.value);
    }

    /// @inheritdoc IRewards
    function pour() external nonReentrant {
        uint256 allWei = _undistributedWei;
        uint256 coordinatorsWei = allWei / 2;
        _undistributedWei = 0;
        emit Poured(allWei - coordinatorsWei, coordinatorsWei);
        _fund(Role.Miner, allWei - coordinatorsWei);
        _fund(Role.Coordinator, coordinatorsWei);
    }

    /// @inheritdoc IRewards
    function undistributedWei() external view returns (uint256) {
        return _undistributedWei;
    }

    /// @inheritdoc IRewards
    function getStream(Role role) external view returns (StreamView memory) {
        Flow memory flow;
        _accrue(flow, role);
        return StreamView(flow.rateWei, uint64(flow.endsAt), flow.nextWei, flow.weightWei);
    }

    function _addToPool(uint256 amountWei) internal {
        if (amountWei != 0) _undistributedWei = (_undistributedWei + amountWei).toUint96();
    }

    function _fund(Role role, uint256 amountWei) private {
        Flow memory flow;
        _accrue(flow, role);
        flow.nextWei += amountWei;
        flow.moved = true;
        if (flow.endsAt <= block.timestamp && _startPeriod(flow, block.timestamp)) flow.startedRateWei = flow.rateWei;
        if (flow.startedRateWei != 0) emit PeriodStarted(role, flow.startedRateWei, uint64(flow.endsAt));
        _saveFlow(role, flow);
    }

    // ---- nodes ----

    /// @inheritdoc IRewards
    function settle(address node) external nonReentrant {
        _close(_open(node, true));
    }

    /// @inheritdoc IRewards
    function claim(address node) external nonReentrant returns (uint256 amountWei) {
        _requireActing(node);
        Open memory claimed = _open(node, false);
        amountWei = claimed.rewardsWei;
        claimed.rewardsWei = 0;
        Account storage account = _accounts[node];
        (account.freeWei, account.known) = ((account.freeWei + amountWei).toUint96(), true);
        _close(claimed);
        emit Claimed(node, amountWei);
    }

    /// @inheritdoc IRewards
    function rewardsOf(address node) external view returns (uint256 ownerWei) {
        return _preview(node).rewardsWei;
    }

    /// @inheritdoc IRewards
    function dripOf(address node) external view returns (uint256 waitingWei, uint64 endsAt) {
        Drip memory drip;
        _loadDrip(drip, node);
        return (drip.waitingWei, uint64(_drips[node].startAt) + _drips[node].leftSeconds);
    }

    /// @dev No settlement: no weight changes, and what the voters get reaches the pool only with the next one.
    function _creditIncome(address owner, uint256 amountWei) internal {
        Node storage node = _nodes[owner];
        uint256 votersWei = node.votes.shares == 0 ? 0 : amountWei * node.voterShareBps / BPS;
        uint256 ownerWei = amountWei - votersWei;
        node.rewardsWei = (node.rewardsWei + ownerWei).toUint96();
        emit IncomeCredited(owner, ownerWei, votersWei);
        if (votersWei == 0) return;
        Drip memory drip;
        _loadDrip(drip, owner);
        drip.waitingWei += votersWei;
        drip.leftSeconds = dripSeconds;
        _saveDrip(drip, owner);
        node.flags |= DRIPPING;
    }
}
