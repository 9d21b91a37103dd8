// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Cases} from "./Cases.sol";
import {ICourt, Stage, Verdict, Vote} from "./interfaces/ICourt.sol";
import {IRandomness} from "./interfaces/IRandomness.sol";
import {Role} from "./interfaces/Role.sol";
import {Seats} from "./libraries/Seats.sol";

/// @title Juries
/// @notice Rounds of a dispute: who sits, how it votes, what it earns and loses.
abstract contract Juries is Cases {
    using SafeCast for uint256;

    struct Dispute {
        address accused;
        uint64 issuedAt;
        uint8 round;
        Verdict verdict;
        bool closed;
        // ---
        uint96 baseWei;
        uint96 feeWei;
        // What a conviction would have taken at the challenge: held meanwhile.
        uint16 heldBps;
        // ---
        bytes32 key;
    }

    struct Round {
        uint32 referenceEpoch;
        uint64 randomnessRound;
        uint40 sealedAt;
        uint40 lostAtSealing;
        uint40 concludedAt;
        uint40 lostAtConclusion;
        // ---
        address payer;
        // What the contract holds for this round now: all that leaves it is taken off here first.
        uint96 potWei;
        // ---
        // The node whose operator key the payer is or was.
        address payerNode;
        uint96 seatPayWei;
        // ---
        uint96 eligibleWei;
        uint40 openedAt;
        uint32 validSeats;
        uint32 invalidSeats;
        uint32 cannotJudgeSeats;
        Vote side;
        Verdict verdict;
        // Without a quorum: the rest of the pot is the next round's.
        bool handedOn;
        // ---
        bytes32 seed;
    }

    /// @dev Pinned when `seats` is above 0: who holds none is never written down.
    struct Seat {
        bytes32 commitment;
        // ---
        uint32 seats;
        Vote vote;
        bool fined;
        bool paid;
    }

    /// @dev A miner's threshold: no seat costs more, however much stake there is for how few seats.
    uint256 private constant MAX_SEAT_WEI = 20_000 ether;

    mapping(uint256 caseId => Dispute) private _disputes;
    mapping(uint256 caseId => mapping(uint256 round => Round)) private _rounds;
    mapping(uint256 caseId => mapping(uint256 round => mapping(address node => Seat))) private _seats;

    // ---- duty ----

    /// @inheritdoc ICourt
    function summon(uint256 caseId, address node) external alive returns (uint256 held) {
        if (_stageOf(caseId) != Stage.Revealing) _requireStage(caseId, Stage.Committing);
        return _pin(caseId, _dispute(caseId).round, node).seats;
    }

    /// @inheritdoc ICourt
    function commit(uint256 caseId, address node, bytes32 commitment) external alive {
        _requireStage(caseId, Stage.Committing);
        _requireActing(node);
        if (commitment == 0) revert CommitmentInvalid(caseId, node);
        uint8 round = _dispute(caseId).round;
        Seat storage seat = _pin(caseId, round, node);
        if (seat.commitment != 0) revert AlreadyCommitted(caseId, node);
        seat.commitment = commitment;
        emit VoteCommitted(caseId, round, node, commitment);
    }

    /// @inheritdoc ICourt
    function reveal(uint256 caseId, address node, Vote vote, bytes32 salt) external alive {
        _requireStage(caseId, Stage.Revealing);
        _requireActing(node);
        uint8 round = _dispute(caseId).round;
        Seat storage seat = _seat(caseId, round, node);
        if (
            vote == Vote.None || seat.vote != Vote.None
                || seat.commitment != commitmentOf(caseId, round, node, vote, salt)
        ) revert CommitmentInvalid(caseId, node);
        seat.vote = vote;
        uint32 held = seat.seats;
        Round storage tally = _round(caseId, round);
        if (vote == Vote.Valid) tally.validSeats += held;
        else if (vote == Vote.Invalid) tally.invalidSeats += held;
        else tally.cannotJudgeSeats += held;
        emit VoteRevealed(caseId, round, node, vote, held);
    }

    /// @inheritdoc ICourt
    function fine(uint256 caseId, uint8 round, address node) external nonReentrant alive returns (uint256 amountWei) {
        Round storage of_ = _round(caseId, round);
        uint256 endedAt = _revealEndsAt(of_);
        if (of_.sealedAt == 0 || block.timestamp < endedAt || block.timestamp > endedAt + _thawSeconds) {
            revert NotFinable(caseId, round, node);
        }
        Seat storage seat = _pin(caseId, round, node);
        bool silent = seat.vote == Vote.None;
        if (seat.fined || !(silent || _isOverruled(_dispute(caseId), seat.vote))) {
            revert NotFinable(caseId, round, node);
        }
        seat.fined = true;

        uint256 seatWei = Math.min(of_.eligibleWei / seats(round), MAX_SEAT_WEI);
        uint256 bps = round == 0 ? 100 : round == 1 ? 500 : 2_000;
        (amountWei,) = _slash(caseId, node, seat.seats * seatWei * bps / BPS, 0, 0);
        if (silent) _jail(node, 0);
        emit JurorFined(caseId, round, node, amountWei, silent);
    }

    /// @inheritdoc ICourt
    function creditJuror(uint256 caseId, uint8 round, address node) external alive returns (uint256 amountWei) {
        Dispute storage dispute = _dispute(caseId);
        Seat storage seat = _seat(caseId, round, node);
        if (!dispute.closed || seat.paid || !_isCoherent(dispute.verdict, seat.vote)) {
            revert NotPayable(caseId, round, node);
        }
        seat.paid = true;
        Round storage of_ = _round(caseId, round);
        amountWei = uint256(seat.seats) * of_.seatPayWei;
        of_.potWei -= uint96(amountWei);
        _credit(caseId, node, amountWei);
    }

    // One place each for what is looked up and called in many: the contract's size is near its limit.

    function _dispute(uint256 caseId) internal view returns (Dispute storage) {
        return _disputes[caseId];
    }

    function _round(uint256 caseId, uint256 round) internal view returns (Round storage) {
        return _rounds[caseId][round];
    }

    function _seat(uint256 caseId, uint256 round, address node) private view returns (Seat storage) {
        return _seats[caseId][round][node];
    }

    function _requireActing(address node) private view {
        if (!staking.actsFor(msg.sender, node)) revert NotActing(msg.sender, node);
    }

    function _isOverruled(Dispute storage dispute, Vote vote) private view returns (bool) {
        if (!dispute.closed) return false;
        return dispute.verdict == Verdict.Valid
            ? vote == Vote.Invalid
            : dispute.verdict == Verdict.Invalid && vote == Vote.Valid;
    }

    /// @dev Without a final verdict whoever judged has done its work.
    function _isCoherent(Verdict verdict, Vote vote) private pure returns (bool) {
        if (vote == Vote.Valid) return verdict != Verdict.Invalid;
        return vote == Vote.Invalid && verdict != Verdict.Valid;
    }

    // ---- seats ----

    /// @inheritdoc ICourt
    function getSeat(uint256 caseId, uint8 round, address node) external view returns (SeatView memory) {
        Seat storage seat = _seat(caseId, round, node);
        uint256 held = seat.seats;
        bool pinned = held != 0;
        if (!pinned) held = _seatsOf(caseId, round, node);
        return SeatView(held, pinned, seat.commitment, seat.vote, seat.fined, seat.paid);
    }

    /// @inheritdoc ICourt
    function commitmentOf(uint256 caseId, uint8 round, address node, Vote vote, bytes32 salt)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), caseId, round, node, vote, salt));
    }

    function _pin(uint256 caseId, uint8 round, address node) private returns (Seat storage seat) {
        seat = _seat(caseId, round, node);
        if (seat.seats != 0) return seat;
        uint256 held = _seatsOf(caseId, round, node);
        if (held == 0) revert NoSeat(caseId, round, node);
        // At most the jury, below 2^16.
        seat.seats = uint32(held);
        emit JurorSummoned(caseId, round, node, held);
    }

    function _seatsOf(uint256 caseId, uint8 round, address node) private view returns (uint256) {
        Round storage of_ = _round(caseId, round);
        bytes32 seed = of_.seed;
        if (seed == 0) return 0;
        address[] memory excluded = _excluded(caseId, round);
        for (uint256 i = 0; i < excluded.length; ++i) {
            if (excluded[i] == node) return 0;
        }
        return Seats.held(
            seats(round),
            _bondAt(node, of_.referenceEpoch),
            of_.eligibleWei,
            uint256(keccak256(abi.encode(seed, caseId, round, node)))
        );
    }

    function _bondAt(address node, uint64 epoch) private view returns (uint256) {
        return staking.minerBondAt(node, epoch);
    }

    /// @dev The accused, each payer so far and the node of its key; zeros and repetitions among them.
    function _excluded(uint256 caseId, uint8 round) private view returns (address[] memory nodes) {
        nodes = new address[](3 + 2 * uint256(round));
        nodes[0] = _dispute(caseId).accused;
        for (uint256 i = 0; i <= round; ++i) {
            Round storage of_ = _round(caseId, i);
            (nodes[2 * i + 1], nodes[2 * i + 2]) = (of_.payer, of_.payerNode);
        }
    }

    function _eligibleWei(uint256 caseId, uint8 round, uint64 epoch) private view returns (uint256 bondWei) {
        bondWei = staking.totalActiveBondAt(Role.Miner, epoch);
        address[] memory nodes = _excluded(caseId, round);
        for (uint256 i = 0; i < nodes.length; ++i) {
            uint256 j = 0;
            while (nodes[j] != nodes[i]) ++j;
            if (j == i) bondWei -= _bondAt(nodes[i], epoch);
        }
    }

    // ---- rounds ----

    /// @dev Opens the dispute's present round. `payer` is excluded from now on, with the node whose key it is.
    function _openRound(uint256 caseId, uint8 round, address payer, Vote side, uint256 potWei) internal {
        Round storage opened = _round(caseId, round);
        uint64 epoch = staking.currentEpoch() - 1;
        // Of at least 10 seconds each.
        opened.referenceEpoch = uint32(epoch);
        opened.randomnessRound = IRandomness(randomness).roundAt(uint64(block.timestamp) + sealSeconds);
        (opened.payer, opened.potWei) = (payer, potWei.toUint96());
        (address payerNode,) = staking.operatorRecord(payer);
        if (payerNode != address(0)) opened.payerNode = payerNode;
        opened.openedAt = uint40(block.timestamp);
        opened.side = side;
        // Stake fits 96 bits in Staking.
        opened.eligibleWei = uint96(_eligibleWei(caseId, round, epoch));
        emit RoundOpened(caseId, round, seats(round), epoch, opened.randomnessRound, payer, side, potWei);
    }

    function _sealRound(uint256 caseId, uint8 round, bytes calldata proof) internal {
        Round storage sealed_ = _round(caseId, round);
        bytes32 seed = IRandomness(randomness).seal(sealed_.randomnessRound, proof);
        (sealed_.seed, sealed_.sealedAt, sealed_.lostAtSealing) = (seed, uint40(block.timestamp), uint40(_lost()));
        emit RoundSealed(caseId, round, seed, uint64(_commitEndsAt(sealed_)), uint64(_revealEndsAt(sealed_)));
    }

    /// @dev Counts the round. Without a quorum there is no verdict.
    function _tally(uint256 caseId, uint8 round) internal returns (Verdict verdict, bool quorum) {
        Round storage tally = _round(caseId, round);
        (tally.concludedAt, tally.lostAtConclusion) = (uint40(block.timestamp), uint40(_lost()));
        uint256 revealed = _revealedSeats(tally);
        quorum = 3 * revealed >= seats(round);
        verdict = Verdict.Undecided;
        if (quorum && 2 * uint256(tally.invalidSeats) > revealed) verdict = Verdict.Invalid;
        else if (quorum && 2 * uint256(tally.validSeats) > revealed) verdict = Verdict.Valid;
        tally.verdict = verdict;
        emit RoundConcluded(caseId, round, verdict, quorum);
    }

    function _revealedSeats(Round storage tally) internal view returns (uint256) {
        return uint256(tally.validSeats) + tally.invalidSeats + tally.cannotJudgeSeats;
    }

    /// @return carriedWei what the round hands on: all but the pay of those who judged
    function _handOn(uint256 caseId, uint8 round) internal returns (uint256 carriedWei) {
        Round storage tally = _round(caseId, round);
        uint256 potWei = tally.potWei;
        uint256 seatPayWei = potWei / seats(round);
        uint256 keptWei = seatPayWei * (uint256(tally.validSeats) + tally.invalidSeats);
        tally.handedOn = true;
        (tally.seatPayWei, tally.potWei) = (uint96(seatPayWei), uint96(keptWei));
        return potWei - keptWei;
    }

    /// @dev Keeps what coherent jurors get in the pot; takes the rest out of it.
    /// @return paidWei what they get
    /// @return leftWei what is free
    function _settleRound(uint256 caseId, uint8 round, Verdict verdict)
        internal
        returns (uint256 paidWei, uint256 leftWei)
    {
        Round storage settled = _round(caseId, round);
        uint256 coherent = (_isCoherent(verdict, Vote.Valid) ? settled.validSeats : 0)
            + (_isCoherent(verdict, Vote.Invalid) ? settled.invalidSeats : 0);
        if (!settled.handedOn) settled.seatPayWei = uint96(settled.potWei / Math.max(seats(round), coherent));
        paidWei = coherent * settled.seatPayWei;
        leftWei = settled.potWei - paidWei;
        settled.potWei = uint96(paidWei);
    }

    // ---- stages ----

    function _requireStage(uint256 caseId, Stage wanted) internal view {
        Stage stage = _stageOf(caseId);
        if (stage != wanted) revert StageInvalid(caseId, stage);
    }

    /// @dev The stage as a transaction now finds it.
    function _stageOf(uint256 caseId) internal view returns (Stage) {
        Dispute storage dispute = _dispute(caseId);
        if (dispute.accused == address(0)) revert CaseUnknown(caseId);
        if (dispute.closed) return Stage.Closed;
        Round storage round = _round(caseId, dispute.round);
        if (round.sealedAt == 0) {
            return block.timestamp <= uint256(round.openedAt) + sealSeconds + _thawSeconds ? Stage.Sealing : Stage.Due;
        }
        if (round.concludedAt != 0) return block.timestamp < _appealEndsAt(round) ? Stage.Appealing : Stage.Due;
        if (block.timestamp < _commitEndsAt(round)) return Stage.Committing;
        return block.timestamp < _revealEndsAt(round) ? Stage.Revealing : Stage.Due;
    }

    function _commitEndsAt(Round storage round) internal view returns (uint256) {
        return round.sealedAt + commitSeconds + Math.min(commitSeconds, _lostIn(round));
    }

    /// @dev Both windows grow together: time lost in the second moves the first's end, which is over, and not the sum twice.
    function _revealEndsAt(Round storage round) internal view returns (uint256) {
        uint256 bothSeconds = commitSeconds + revealSeconds;
        return round.sealedAt + bothSeconds + Math.min(bothSeconds, _lostIn(round));
    }

    function _appealEndsAt(Round storage round) internal view returns (uint256) {
        return round.concludedAt + appealSeconds + Math.min(appealSeconds, _lost() - round.lostAtConclusion);
    }

    /// @dev Time lost from the sealing until the tally, or until now.
    function _lostIn(Round storage round) private view returns (uint256) {
        return (round.concludedAt == 0 ? _lost() : round.lostAtConclusion) - round.lostAtSealing;
    }
}
