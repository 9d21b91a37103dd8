// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Cases} from "./Cases.sol";
import {ICourt} from "./interfaces/ICourt.sol";

/// @title Records
/// @notice What each node was convicted of and is in dispute for: how much the next conviction takes, how much is held.
abstract contract Records is Cases {
    using SafeCast for uint256;

    /// @dev One slot. `frozenUntil` is the latest of all disputes so far, since each sets now + one dispute's length.
    struct Record {
        uint8 step;
        uint40 stepAt;
        uint16 stepBps;
        uint32 openDisputes;
        uint96 frozenWei;
        uint40 frozenUntil;
    }

    uint16 private constant FIRST_BPS = 1_000;
    uint16 private constant SECOND_BPS = 5_000;
    /// @dev Of convictions that may have one cause, together.
    uint16 private constant ONE_CAUSE_BPS = 3_000;

    mapping(address node => Record) private _records;

    /// @inheritdoc ICourt
    function getRecord(address node) external view returns (RecordView memory) {
        Record storage record = _records[node];
        return RecordView(record.step, record.stepAt, record.stepBps, record.openDisputes, record.frozenWei);
    }

    function _openDisputes(address accused) internal view returns (uint256) {
        return _records[accused].openDisputes;
    }

    /// @return bps what a conviction would take now. It never takes more later: when others of the step come first, the
    /// assignment was issued before them.
    function _accuse(address accused, uint64 issuedAt, uint256 baseWei) internal returns (uint16 bps) {
        Record storage record = _records[accused];
        (bps,) = _sentence(record, issuedAt);
        record.openDisputes += 1;
        record.frozenWei = (record.frozenWei + baseWei * bps / BPS).toUint96();
    }

    /// @param heldBps what {_accuse} answered
    /// @return bps what is taken, 0 without a conviction
    function _discharge(address accused, uint64 issuedAt, uint256 baseWei, uint256 heldBps, bool convicted)
        internal
        returns (uint16 bps)
    {
        Record storage record = _records[accused];
        record.openDisputes -= 1;
        record.frozenWei -= uint96(baseWei * heldBps / BPS);
        if (!convicted) return 0;
        bool rises;
        (bps, rises) = _sentence(record, issuedAt);
        if (rises) {
            record.step = uint8(Math.min(record.step + 1, 3));
            record.stepAt = uint40(block.timestamp);
            record.stepBps = bps;
        } else {
            record.stepBps += bps;
        }
    }

    /// @dev Holds for one more dispute's length from now.
    function _hold(address accused) internal {
        _records[accused].frozenUntil = uint40(block.timestamp + disputeSeconds);
        _freeze(accused);
    }

    function _freeze(address accused) internal {
        Record storage record = _records[accused];
        staking.freeze(accused, record.frozenWei, record.frozenUntil);
    }

    function _sentence(Record storage record, uint64 issuedAt) private view returns (uint16 bps, bool rises) {
        uint8 step = record.step;
        if (step == 0) return (FIRST_BPS, true);
        // Who knows of the verdict and does it again.
        if (issuedAt > record.stepAt) return (step == 1 ? SECOND_BPS : BPS, true);
        uint16 takenBps = record.stepBps;
        return (takenBps < ONE_CAUSE_BPS ? uint16(Math.min(FIRST_BPS, ONE_CAUSE_BPS - takenBps)) : 0, false);
    }
}
