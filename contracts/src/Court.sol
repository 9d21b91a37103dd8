// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Cases} from "./Cases.sol";
import {Juries} from "./Juries.sol";
import {Records} from "./Records.sol";
import {Reports} from "./Reports.sol";
import {CourtParameters, Evidence, ICourt, Stage, Verdict, Vote} from "./interfaces/ICourt.sol";
import {IRandomness} from "./interfaces/IRandomness.sol";
import {IStakingHooks} from "./interfaces/IStakingHooks.sol";
import {Receipt} from "./libraries/Signed.sol";

/// @title Court
/// @notice Disputes from challenge to settlement; see {ICourt} for what each function promises.
///
/// {Cases} has what every case shares, {Reports} what needs no jury, {Records} who was convicted of how much, {Juries}
/// the rounds. All money of a dispute is in its rounds' pots until it moves: to another pot, a credit, a cut, the reward pool.
/// So pots, credits and cuts add up to what the contract holds, and nothing computes with its balance.
contract Court is Reports, Records, Juries {
    using SafeCast for uint256;

    uint8 private constant LAST_ROUND = 2;

    /// @param staking_ deployed before, with this contract's precomputed address as its `court`
    constructor(IStakingHooks staking_, IRandomness randomness_, CourtParameters memory parameters)
        Cases(staking_, randomness_, parameters)
    {}

    // ---- disputes ----

    /// @inheritdoc ICourt
    function challenge(Receipt calldata receipt, Evidence calldata evidence)
        external
        payable
        nonReentrant
        alive
        returns (uint256 caseId)
    {
        _requireInTime(receipt.assignment.issuedAt);
        bytes32 digest = _verifyAssignment(receipt.assignment, receipt.assignmentSignature);
        _verifyResult(receipt.assignment, digest, receipt.result, receipt.resultSignature);
        _requireHashes(receipt, evidence);
        address accused = receipt.assignment.miner;
        uint256 baseWei = _atRisk(accused);
        uint256 feeWei = _feeWei(accused);
        bytes32 key = _disputeKey(digest);

        caseId = _openCase(key);
        Dispute storage dispute = _dispute(caseId);
        (dispute.accused, dispute.issuedAt, dispute.key) = (accused, receipt.assignment.issuedAt, key);
        (dispute.baseWei, dispute.feeWei) = (uint96(baseWei), feeWei.toUint96());
        dispute.heldBps = _accuse(accused, receipt.assignment.issuedAt, baseWei);
        emit Challenged(caseId, accused, msg.sender, receipt, evidence);
        _post(caseId, 0, Vote.Invalid, seats(0) * feeWei);
    }

    /// @inheritdoc ICourt
    function addEvidence(uint256 caseId, bytes calldata data) external alive {
        if (_stageOf(caseId) == Stage.Closed) revert StageInvalid(caseId, Stage.Closed);
        _requireSize(data.length);
        emit EvidenceAdded(caseId, msg.sender, data);
    }

    /// @inheritdoc ICourt
    function seal(uint256 caseId, bytes calldata proof) external alive {
        _requireStage(caseId, Stage.Sealing);
        Dispute storage dispute = _dispute(caseId);
        _sealRound(caseId, dispute.round, proof);
        _hold(dispute.accused);
    }

    /// @inheritdoc ICourt
    function appeal(uint256 caseId, Vote side) external payable nonReentrant alive {
        _requireStage(caseId, Stage.Appealing);
        Dispute storage dispute = _dispute(caseId);
        Vote stands = dispute.verdict == Verdict.Valid
            ? Vote.Valid
            : dispute.verdict == Verdict.Invalid ? Vote.Invalid : Vote.None;
        if ((side != Vote.Valid && side != Vote.Invalid) || side == stands) revert SideStands(caseId, side);
        uint256 bondWei = appealBondWei(caseId);
        _post(caseId, ++dispute.round, side, bondWei);
    }

    /// @inheritdoc ICourt
    function conclude(uint256 caseId) external nonReentrant alive {
        _requireStage(caseId, Stage.Due);
        Dispute storage dispute = _dispute(caseId);
        uint8 number = dispute.round;
        Round storage round = _round(caseId, number);
        if (round.sealedAt == 0) return _close(caseId, Verdict.Undecided);
        if (round.concludedAt != 0) return _close(caseId, round.verdict);

        (Verdict verdict, bool quorum) = _tally(caseId, number);
        if (number == LAST_ROUND) return _close(caseId, verdict);
        dispute.verdict = verdict;
        if (quorum) return;
        dispute.round = number + 1;
        _openRound(caseId, number + 1, round.payer, round.side, _handOn(caseId, number));
        _hold(dispute.accused);
    }

    /// @dev Takes the sender's bond for `round`; what is over it is the sender's.
    function _post(uint256 caseId, uint8 round, Vote side, uint256 bondWei) private {
        if (msg.value < bondWei) revert BondTooLow(msg.value, bondWei);
        _openRound(caseId, round, msg.sender, side, bondWei);
        _credit(caseId, msg.sender, msg.value - bondWei);
        _hold(_dispute(caseId).accused);
    }

    function _requireHashes(Receipt calldata receipt, Evidence calldata evidence) private pure {
        _requireSize(evidence.input.length + evidence.params.length + evidence.output.length);
        if (sha256(evidence.input) != receipt.assignment.inputHash) revert HashMismatch("input");
        if (sha256(evidence.params) != receipt.assignment.paramsHash) revert HashMismatch("params");
        if (sha256(evidence.output) != receipt.result.outputHash) revert HashMismatch("output");
    }

    function _requireSize(uint256 length) private pure {
        if (length > MAX_EVIDENCE_BYTES) revert EvidenceTooLarge(length, MAX_EVIDENCE_BYTES);
    }

    // ---- settlement ----

    function _close(uint256 caseId, Verdict verdict) private {
        Dispute storage dispute = _dispute(caseId);
        (dispute.verdict, dispute.closed) = (verdict, true);
        _closeKey(dispute.key, verdict != Verdict.Undecided);
        bool convicted = verdict == Verdict.Invalid;
        uint16 bps = _discharge(dispute.accused, dispute.issuedAt, dispute.baseWei, dispute.heldBps, convicted);
        (uint256[3] memory owedWei, uint256 owedInAllWei, uint256 lostWei) = _settleRounds(caseId, verdict);

        // What losers left first makes good what winners paid to jurors; then the slash does.
        uint256 refillWei = Math.min(lostWei, owedInAllWei);
        _freeze(dispute.accused);
        if (lostWei > refillWei) staking.fundPool{value: lostWei - refillWei}();
        uint256 takenWei;
        if (convicted) {
            uint256 refilledWei;
            (takenWei, refilledWei) = _convict(caseId, bps, owedInAllWei - refillWei);
            refillWei += refilledWei;
        }
        _refill(caseId, owedWei, refillWei);
        emit CaseClosed(caseId, verdict, takenWei, bps);
    }

    /// @dev Effects after calls, for once: how much there was to take is known only then. The staking contract calls
    /// nobody but this contract's `receive`.
    function _convict(uint256 caseId, uint256 bps, uint256 refillWei)
        private
        returns (uint256 takenWei, uint256 refilledWei)
    {
        Dispute storage dispute = _dispute(caseId);
        uint256 paidWei;
        (takenWei, paidWei) = _slash(caseId, dispute.accused, dispute.baseWei * bps / BPS, refillWei, CUT_BPS);
        _jail(dispute.accused, jailSeconds);
        refilledWei = Math.min(takenWei, refillWei);
        _grantCut(caseId, _round(caseId, 0).payer, paidWei - refilledWei);
    }

    /// @return owedWei what each winner's round paid to jurors
    /// @return owedInAllWei their sum
    /// @return lostWei what jurors left of losers' pots
    function _settleRounds(uint256 caseId, Verdict verdict)
        private
        returns (uint256[3] memory owedWei, uint256 owedInAllWei, uint256 lostWei)
    {
        for (uint8 i = 0; i <= _dispute(caseId).round; ++i) {
            (uint256 paidWei, uint256 leftWei) = _settleRound(caseId, i, verdict);
            Round storage round = _round(caseId, i);
            bool won = (round.side == Vote.Valid) == (verdict == Verdict.Valid);
            if (won || verdict == Verdict.Undecided) _credit(caseId, round.payer, leftWei);
            else lostWei += leftWei;
            if (won && verdict != Verdict.Undecided) {
                owedWei[i] = paidWei;
                owedInAllWei += paidWei;
            }
        }
    }

    /// @dev Earlier rounds first.
    function _refill(uint256 caseId, uint256[3] memory owedWei, uint256 refillWei) private {
        for (uint256 i = 0; i < owedWei.length; ++i) {
            uint256 amountWei = Math.min(owedWei[i], refillWei);
            refillWei -= amountWei;
            _credit(caseId, _round(caseId, i).payer, amountWei);
        }
    }

    // ---- views ----

    /// @inheritdoc ICourt
    function getDispute(uint256 caseId) external view returns (DisputeView memory) {
        Stage stage = _stageOf(caseId);
        Dispute storage dispute = _dispute(caseId);
        return DisputeView({
            key: dispute.key,
            accused: dispute.accused,
            challenger: _round(caseId, 0).payer,
            issuedAt: dispute.issuedAt,
            stage: stage,
            round: dispute.round,
            baseWei: dispute.baseWei,
            feeWei: dispute.feeWei,
            verdict: dispute.verdict
        });
    }

    /// @inheritdoc ICourt
    function getRound(uint256 caseId, uint8 number) external view returns (RoundView memory answer) {
        Round storage round = _round(caseId, number);
        answer.referenceEpoch = round.referenceEpoch;
        answer.eligibleWei = round.eligibleWei;
        answer.randomnessRound = round.randomnessRound;
        answer.seed = round.seed;
        if (round.sealedAt != 0) {
            answer.commitEndsAt = uint64(_commitEndsAt(round));
            answer.revealEndsAt = uint64(_revealEndsAt(round));
        }
        if (round.concludedAt != 0 && number != LAST_ROUND && !round.handedOn) {
            answer.appealEndsAt = uint64(_appealEndsAt(round));
        }
        answer.validSeats = round.validSeats;
        answer.invalidSeats = round.invalidSeats;
        answer.cannotJudgeSeats = round.cannotJudgeSeats;
        answer.verdict = round.verdict;
        answer.payer = round.payer;
        answer.side = round.side;
        answer.potWei = round.potWei;
    }

    /// @inheritdoc ICourt
    function challengeBondWei(address accused) external view returns (uint256) {
        return seats(0) * _feeWei(accused);
    }

    /// @inheritdoc ICourt
    function appealBondWei(uint256 caseId) public view returns (uint256) {
        Dispute storage dispute = _dispute(caseId);
        uint8 next = dispute.round + 1;
        return next > LAST_ROUND ? 0 : (seats(next) * dispute.feeWei) << next;
    }

    /// @dev Doubles with every dispute that is open, so the shift stays far below 256: nobody could pay before.
    function _feeWei(address accused) private view returns (uint256) {
        return jurorFeeWei << _openDisputes(accused);
    }
}
