// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Cases} from "./Cases.sol";
import {ICourt} from "./interfaces/ICourt.sol";
import {Assignment, Result} from "./libraries/Signed.sol";

/// @title Reports
/// @notice What two signatures of one node prove against each other, settled at once.
abstract contract Reports is Cases {
    uint256 private constant MINER_BPS = 5_000;
    uint256 private constant COORDINATOR_BPS = 500;

    /// @inheritdoc ICourt
    function reportMiner(
        Assignment calldata assignment,
        bytes calldata assignmentSignature,
        Result calldata first,
        bytes calldata firstSignature,
        Result calldata second,
        bytes calldata secondSignature
    ) external nonReentrant alive returns (uint256 caseId) {
        _requireInTime(assignment.issuedAt);
        if (first.outputHash == second.outputHash) revert NotEvidence("outputHash");
        bytes32 digest = _verifyAssignment(assignment, assignmentSignature);
        bytes32 firstDigest = _verifyResult(assignment, digest, first, firstSignature);
        bytes32 secondDigest = _verifyResult(assignment, digest, second, secondSignature);

        caseId = _openConsumed(keccak256(abi.encode("results", digest)));
        emit MinerReported(caseId, assignment.miner, msg.sender, digest, firstDigest, secondDigest);
        _punish(caseId, assignment.miner, MINER_BPS);
    }

    /// @inheritdoc ICourt
    function reportCoordinator(
        Assignment calldata first,
        bytes calldata firstSignature,
        Assignment calldata second,
        bytes calldata secondSignature
    ) external nonReentrant alive returns (uint256 caseId) {
        // Each must have been issued by now; the later one starts the clock.
        if (first.issuedAt < second.issuedAt) _requireInTime(second.issuedAt);
        else _requireInTime(first.issuedAt);
        if (first.coordinator != second.coordinator) revert NotEvidence("coordinator");
        if (first.taskId != second.taskId || first.attempt != second.attempt) revert NotEvidence("taskId");
        if (first.miner == second.miner) revert NotEvidence("miner");
        bytes32 firstDigest = _verifyAssignment(first, firstSignature);
        bytes32 secondDigest = _verifyAssignment(second, secondSignature);

        caseId = _openConsumed(keccak256(abi.encode("assignments", first.coordinator, first.taskId, first.attempt)));
        emit CoordinatorReported(
            caseId, first.coordinator, msg.sender, first.taskId, first.attempt, firstDigest, secondDigest
        );
        _punish(caseId, first.coordinator, COORDINATOR_BPS);
    }

    function _openConsumed(bytes32 key) private returns (uint256 caseId) {
        caseId = _openCase(key);
        _closeKey(key, true);
    }

    function _punish(uint256 caseId, address node, uint256 bps) private {
        (, uint256 cutWei) = _slash(caseId, node, _atRisk(node) * bps / BPS, 0, CUT_BPS);
        _grantCut(caseId, msg.sender, cutWei);
    }
}
