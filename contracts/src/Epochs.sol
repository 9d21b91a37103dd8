// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IEpochs} from "./interfaces/IEpochs.sol";
import {IStakingHooks} from "./interfaces/IStakingHooks.sol";

/// @title Epochs
/// @notice Coordinators' secrets per draw epoch; see {IEpochs} for what each function promises. Holds no money.
contract Epochs is IEpochs {
    /// @notice The staking contract, which suspends and resumes nodes for this one.
    IStakingHooks public immutable staking;
    /// @inheritdoc IEpochs
    uint64 public immutable drawSeconds;
    /// @inheritdoc IEpochs
    uint64 public immutable graceSeconds;

    mapping(address coordinator => mapping(uint64 epoch => bytes32)) private _commitments;
    mapping(address coordinator => mapping(uint64 epoch => bool)) private _overdue;
    /// @inheritdoc IEpochs
    mapping(address coordinator => uint256) public overdueCount;

    /// @param staking_ names this contract as its epochs contract
    /// @param drawSeconds_ length of an epoch
    /// @param graceSeconds_ time to reveal. Both above 0 and together below the thaw: a secret is due before the stake
    /// that stood behind its draws can be gone
    constructor(IStakingHooks staking_, uint64 drawSeconds_, uint64 graceSeconds_) {
        if (staking_.epochs() != address(this)) revert ParameterInvalid("staking");
        if (drawSeconds_ == 0) revert ParameterInvalid("drawSeconds");
        bool tooLong = uint256(drawSeconds_) + graceSeconds_ >= staking_.thawSeconds();
        if (graceSeconds_ == 0 || tooLong) revert ParameterInvalid("graceSeconds");
        (staking, drawSeconds, graceSeconds) = (staking_, drawSeconds_, graceSeconds_);
    }

    /// @inheritdoc IEpochs
    function commit(address coordinator, uint64 epoch, bytes32 commitment) public {
        if (!staking.actsFor(msg.sender, coordinator)) revert NotActing(msg.sender, coordinator);
        if (commitment == 0) revert CommitmentZero();
        uint64 endsAt = _endOf(epoch);
        if (block.timestamp >= endsAt) revert EpochOver(epoch, endsAt);
        if (_commitments[coordinator][epoch] != 0) revert AlreadyCommitted(coordinator, epoch);
        _commitments[coordinator][epoch] = commitment;
        emit Committed(coordinator, epoch, commitment);
    }

    /// @inheritdoc IEpochs
    function reveal(address coordinator, uint64 epoch, bytes32 secret) public {
        bytes32 commitment = _committed(coordinator, epoch);
        uint64 endsAt = _endOf(epoch);
        if (block.timestamp < endsAt) revert EpochNotOver(epoch, endsAt);
        if (commitment != commitmentOf(coordinator, epoch, secret)) revert SecretInvalid(coordinator, epoch);
        delete _commitments[coordinator][epoch];
        emit Revealed(coordinator, epoch, secret);
        if (!_overdue[coordinator][epoch]) return;
        delete _overdue[coordinator][epoch];
        if (--overdueCount[coordinator] == 0) staking.resume(coordinator);
    }

    /// @inheritdoc IEpochs
    function turn(address coordinator, uint64 revealed, bytes32 secret, uint64 committed, bytes32 commitment) external {
        if (_commitments[coordinator][revealed] != 0) reveal(coordinator, revealed, secret);
        commit(coordinator, committed, commitment);
    }

    /// @inheritdoc IEpochs
    function suspend(address coordinator, uint64 epoch) external {
        _committed(coordinator, epoch);
        uint64 overdueAt = _endOf(epoch) + graceSeconds;
        if (block.timestamp < overdueAt) revert NotOverdue(coordinator, epoch, overdueAt);
        if (_overdue[coordinator][epoch]) revert AlreadyOverdue(coordinator, epoch);
        _overdue[coordinator][epoch] = true;
        emit Overdue(coordinator, epoch);
        if (++overdueCount[coordinator] == 1) staking.suspend(coordinator);
    }

    /// @inheritdoc IEpochs
    function commitmentFor(address coordinator, uint64 epoch) external view returns (bytes32) {
        return _commitments[coordinator][epoch];
    }

    /// @inheritdoc IEpochs
    function commitmentOf(address coordinator, uint64 epoch, bytes32 secret) public pure returns (bytes32) {
        return keccak256(abi.encode(coordinator, epoch, secret));
    }

    /// @inheritdoc IEpochs
    function currentEpoch() external view returns (uint64) {
        return uint64(block.timestamp) / drawSeconds;
    }

    function _committed(address coordinator, uint64 epoch) private view returns (bytes32 commitment) {
        commitment = _commitments[coordinator][epoch];
        if (commitment == 0) revert CommitmentUnknown(coordinator, epoch);
    }

    /// @dev Reverts for epochs beyond 2^64 seconds, so that none of them is ever committed.
    function _endOf(uint64 epoch) private view returns (uint64) {
        return (epoch + 1) * drawSeconds;
    }
}
