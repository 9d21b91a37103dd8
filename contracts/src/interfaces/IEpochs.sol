// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title IEpochs
/// @notice Coordinators commit to the secret of each draw epoch before they draw in it and reveal it after it has
/// ended, so that every draw and every audit can be recomputed. A coordinator that has not revealed {graceSeconds}
/// after an epoch's end is suspended by anybody, and active again when it has revealed all.
///
/// Epoch e is [e x drawSeconds, (e + 1) x drawSeconds) in unix time. A commitment comes before the epoch or within it:
/// an assignment names its commitment (in `drawRef`), and one issued before the commitment was on chain counts as not
/// drawn. So a coordinator that starts in the middle of an epoch need not wait for the next, and gains nothing: task
/// keys hold what the app chose, and are not known when the secret is fixed. Without a commitment there is no draw, and
/// nothing to reveal. Reveals are never prevented, whatever state the node
/// is in.
interface IEpochs {
    event Committed(address indexed coordinator, uint64 indexed epoch, bytes32 commitment);
    event Revealed(address indexed coordinator, uint64 indexed epoch, bytes32 secret);
    event Overdue(address indexed coordinator, uint64 indexed epoch);

    error NotActing(address account, address node);
    error EpochOver(uint64 epoch, uint64 endedAt);
    error EpochNotOver(uint64 epoch, uint64 endsAt);
    error AlreadyCommitted(address coordinator, uint64 epoch);
    error CommitmentUnknown(address coordinator, uint64 epoch);
    error CommitmentZero();
    error SecretInvalid(address coordinator, uint64 epoch);
    error NotOverdue(address coordinator, uint64 epoch, uint64 overdueAt);
    error AlreadyOverdue(address coordinator, uint64 epoch);
    error ParameterInvalid(string name);

    /// @notice Binds `coordinator` to {commitmentOf}(coordinator, epoch, secret), once, before the epoch ends. For
    /// its owner or operator. The coordinator's address is inside, so a commitment copied from another cannot be
    /// revealed.
    function commit(address coordinator, uint64 epoch, bytes32 commitment) external;

    /// @notice Shows the secret after the epoch's end. For anybody who knows it. The record is deleted (its refund pays
    /// for much of the next), the event stays. Resumes the node when it was the last overdue one.
    function reveal(address coordinator, uint64 epoch, bytes32 secret) external;

    /// @notice {reveal} of one epoch and {commit} for another in one transaction: what a coordinator sends once per
    /// epoch. Nothing is revealed where nothing is open: who reveals first, with the secret from this transaction, does
    /// not undo the commitment.
    function turn(address coordinator, uint64 revealed, bytes32 secret, uint64 committed, bytes32 commitment) external;

    /// @notice Suspends `coordinator` because `epoch` is committed, over since {graceSeconds}, and not revealed. Each
    /// epoch counts once. For anybody.
    function suspend(address coordinator, uint64 epoch) external;

    /// @notice The open commitment, zero when there was none or it is revealed.
    function commitmentFor(address coordinator, uint64 epoch) external view returns (bytes32);

    /// @notice Epochs for which the coordinator is suspended now.
    function overdueCount(address coordinator) external view returns (uint256);

    /// @notice keccak256(abi.encode(coordinator, epoch, secret)).
    function commitmentOf(address coordinator, uint64 epoch, bytes32 secret) external pure returns (bytes32);

    function currentEpoch() external view returns (uint64);

    function drawSeconds() external view returns (uint64);

    function graceSeconds() external view returns (uint64);
}
