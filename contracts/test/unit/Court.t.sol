// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Court} from "../../src/Court.sol";
import {CourtParameters, Evidence, ICourt, Stage, Verdict, Vote} from "../../src/interfaces/ICourt.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {Receipt, Signed} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A dispute from the challenge to the settlement, through every branch of its life.
contract CourtTest is CourtBase {
    // ---- challenge ----

    function test_challengeOpensADispute() public {
        Receipt memory receipt = _receipt(1);
        bytes32 digest = receipt.result.assignment;
        vm.expectEmit(address(court));
        emit ICourt.Challenged(1, miner, challenger, receipt, _evidence());
        vm.expectEmit(address(court));
        emit ICourt.RoundOpened(1, 0, 7, staking.currentEpoch() - 1, START + SEAL, challenger, Vote.Invalid, 7 * FEE);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Frozen(miner, BOND / 10, START + court.disputeSeconds());
        uint256 caseId = _challenge(receipt);

        vm.assertEq(caseId, 1, "case");
        vm.assertEq(court.caseCount(), 1, "count");
        ICourt.DisputeView memory dispute = court.getDispute(caseId);
        vm.assertEq(dispute.key, keccak256(abi.encode("output", digest)), "key");
        vm.assertEq(dispute.accused, miner, "accused");
        vm.assertEq(dispute.challenger, challenger, "challenger");
        vm.assertEq(uint256(dispute.issuedAt), START, "issuedAt");
        vm.assertEq(uint256(dispute.round), 0, "round");
        vm.assertEq(dispute.baseWei, BOND, "base");
        vm.assertEq(dispute.feeWei, FEE, "fee");
        _assertStage(caseId, Stage.Sealing, "stage");
        _assertVerdict(caseId, Verdict.None, "verdict");

        ICourt.RoundView memory round = court.getRound(caseId, 0);
        vm.assertEq(uint256(round.referenceEpoch), staking.currentEpoch() - 1, "reference epoch");
        vm.assertEq(round.eligibleWei, JURORS * BOND, "eligible: all but the accused");
        vm.assertEq(uint256(round.randomnessRound), START + SEAL, "randomness round");
        vm.assertEq(round.seed, bytes32(0), "seed");
        vm.assertEq(round.commitEndsAt + round.revealEndsAt + round.appealEndsAt, 0, "no window yet");
        vm.assertEq(round.payer, challenger, "payer");
        vm.assertEq(uint256(round.side), uint256(Vote.Invalid), "side");
        vm.assertEq(round.potWei, 7 * FEE, "pot");

        ICourt.RecordView memory record = court.getRecord(miner);
        vm.assertEq(uint256(record.openDisputes), 1, "open disputes");
        vm.assertEq(record.frozenWei, BOND / 10, "frozen");
        (uint256 openCaseId, bool consumed) = court.caseOf(digest);
        vm.assertEq(openCaseId, caseId, "open case");
        vm.assertFalse(consumed, "consumed");
        _assertSolvent();
    }

    function test_challengeCreditsWhatIsTooMuch() public {
        Receipt memory receipt = _receipt(1);
        vm.prank(challenger);
        uint256 caseId = court.challenge{value: 10 * FEE}(receipt, _evidence());
        vm.assertEq(court.creditOf(challenger), 3 * FEE, "credit");
        vm.assertEq(court.getRound(caseId, 0).potWei, 7 * FEE, "pot");
        _assertSolvent();
    }

    function test_challengeRefusesTooLittle() public {
        Receipt memory receipt = _receipt(1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.BondTooLow.selector, 7 * FEE - 1, 7 * FEE));
        vm.prank(challenger);
        court.challenge{value: 7 * FEE - 1}(receipt, _evidence());
    }

    function test_challengeDoublesTheFeeWithEveryOpenDispute() public {
        _challenge(1);
        vm.assertEq(court.challengeBondWei(miner), 14 * FEE, "second");
        uint256 second = _challenge(2);
        vm.assertEq(court.getDispute(second).feeWei, 2 * FEE, "fee");
        vm.assertEq(court.challengeBondWei(miner), 28 * FEE, "third");
        vm.assertEq(court.challengeBondWei(jurors[0]), 7 * FEE, "of another");
        vm.assertEq(court.appealBondWei(second), 15 * 2 * FEE * 2, "appeal");
        vm.assertEq(court.getRecord(miner).frozenWei, BOND / 5, "frozen for both");
        _assertSolvent();
    }

    function test_challengeChecksTheEvidence() public {
        Receipt memory receipt = _receipt(1);
        Evidence memory evidence = _evidence();
        evidence.input = "other";
        _refuseChallenge(receipt, evidence, abi.encodeWithSelector(ICourt.HashMismatch.selector, "input"));
        evidence = _evidence();
        evidence.params = "other";
        _refuseChallenge(receipt, evidence, abi.encodeWithSelector(ICourt.HashMismatch.selector, "params"));
        evidence = _evidence();
        evidence.output = "other";
        _refuseChallenge(receipt, evidence, abi.encodeWithSelector(ICourt.HashMismatch.selector, "output"));
        evidence.input = new bytes(24_577 - evidence.params.length - evidence.output.length);
        _refuseChallenge(receipt, evidence, abi.encodeWithSelector(ICourt.EvidenceTooLarge.selector, 24_577, 24_576));
        // One byte less is read, and only then found to be another input.
        evidence.input = new bytes(24_576 - evidence.params.length - evidence.output.length);
        _refuseChallenge(receipt, evidence, abi.encodeWithSelector(ICourt.HashMismatch.selector, "input"));
    }

    function test_challengeChecksBothSignatures() public {
        Receipt memory receipt = _receipt(1);
        bytes memory good = receipt.assignmentSignature;
        receipt.assignmentSignature = _sign(stranger, receipt.result.assignment);
        _refuseChallenge(
            receipt,
            _evidence(),
            abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(stranger), coordinator)
        );
        receipt.assignmentSignature = "";
        _refuseChallenge(
            receipt, _evidence(), abi.encodeWithSelector(ICourt.SignatureInvalid.selector, address(0), coordinator)
        );
        receipt.assignmentSignature = good;
        receipt.resultSignature = _sign(coordinator, court.resultDigest(receipt.result));
        _refuseChallenge(
            receipt,
            _evidence(),
            abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(coordinator), miner)
        );
        receipt.result.assignment = keccak256("another");
        _refuseChallenge(receipt, _evidence(), abi.encodeWithSelector(ICourt.NotEvidence.selector, "assignment"));
    }

    function test_challengeRefusesWhoHasNothing() public {
        Receipt memory receipt = _receipt(1);
        vm.prank(address(court));
        staking.slash(miner, BOND, 0, 0, 99);
        _refuseChallenge(receipt, _evidence(), abi.encodeWithSelector(ICourt.NothingAtRisk.selector, miner));
    }

    function test_challengeCountsThawingBond() public {
        vm.deal(address(this), BOND);
        staking.setThawing{value: BOND}(miner);
        uint256 caseId = _challenge(1);
        vm.assertEq(court.getDispute(caseId).baseWei, 2 * BOND, "base");
    }

    function test_challengeOnceAtATime() public {
        Receipt memory receipt = _receipt(1);
        uint256 caseId = _challenge(receipt);
        bytes32 key = court.getDispute(caseId).key;
        _refuseChallenge(receipt, _evidence(), abi.encodeWithSelector(ICourt.AlreadyOpen.selector, key, caseId));
        _hear(caseId, 7, 0, 0);
        _close(caseId);
        _refuseChallenge(receipt, _evidence(), abi.encodeWithSelector(ICourt.Consumed.selector, key));
        (uint256 openCaseId, bool consumed) = court.caseOf(receipt.result.assignment);
        vm.assertEq(openCaseId, 0, "open case");
        vm.assertTrue(consumed, "consumed");
    }

    function _refuseChallenge(Receipt memory receipt, Evidence memory evidence, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(challenger);
        court.challenge{value: 100 ether}(receipt, evidence);
    }

    // ---- evidence ----

    function test_addEvidenceIsForAnybodyUntilTheCaseIsClosed() public {
        uint256 caseId = _challenge(1);
        vm.expectEmit(address(court));
        emit ICourt.EvidenceAdded(caseId, stranger, "look here");
        vm.prank(stranger);
        court.addEvidence(caseId, "look here");
        court.addEvidence(caseId, new bytes(24_576));
        vm.expectRevert(abi.encodeWithSelector(ICourt.EvidenceTooLarge.selector, 24_577, 24_576));
        court.addEvidence(caseId, new bytes(24_577));
        _hear(caseId, 7, 0, 0);
        _close(caseId);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Closed));
        court.addEvidence(caseId, "too late");
    }

    // ---- seal ----

    function test_sealStartsTheWindows() public {
        uint256 caseId = _challenge(1);
        vm.expectRevert(abi.encodeWithSignature("RoundNotReached(uint64,uint64)", START + SEAL, START + SEAL));
        court.seal(caseId, "");
        _skip(SEAL + 5 minutes);
        vm.expectRevert(abi.encodeWithSignature("ProofInvalid(uint64)", START + SEAL));
        court.seal(caseId, "bad");

        bytes32 seed = keccak256(abi.encode("seed", START + SEAL));
        uint64 commitEndsAt = _now() + COMMIT;
        vm.expectEmit(address(court));
        emit ICourt.RoundSealed(caseId, 0, seed, commitEndsAt, commitEndsAt + REVEAL);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Frozen(miner, BOND / 10, _now() + court.disputeSeconds());
        court.seal(caseId, "");
        ICourt.RoundView memory round = court.getRound(caseId, 0);
        vm.assertEq(round.seed, seed, "seed");
        vm.assertEq(uint256(round.commitEndsAt), commitEndsAt, "commit ends");
        vm.assertEq(uint256(round.revealEndsAt), commitEndsAt + REVEAL, "reveal ends");
        vm.assertEq(uint256(round.appealEndsAt), 0, "appeal not known");
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Committing));
        court.seal(caseId, "");
    }

    function test_stagesFollowTheClock() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _skip(COMMIT - 1);
        _assertStage(caseId, Stage.Committing, "last second to commit");
        _skip(1);
        _assertStage(caseId, Stage.Revealing, "first second to reveal");
        _skip(REVEAL - 1);
        _assertStage(caseId, Stage.Revealing, "last second to reveal");
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Revealing));
        court.conclude(caseId);
        _skip(1);
        _assertStage(caseId, Stage.Due, "over");
    }

    // ---- conclude ----

    function test_aVerdictStandsUntilItsAppealWindowIsOver() public {
        uint256 caseId = _challenge(1);
        _vote(caseId, 3, 4, 0);
        vm.expectEmit(address(court));
        emit ICourt.RoundConcluded(caseId, 0, Verdict.Invalid, true);
        court.conclude(caseId);
        _assertStage(caseId, Stage.Appealing, "appealing");
        _assertVerdict(caseId, Verdict.Invalid, "stands");
        ICourt.RoundView memory round = court.getRound(caseId, 0);
        vm.assertEq(uint256(round.appealEndsAt), _now() + APPEAL, "appeal ends");
        vm.assertEq(round.validSeats, 3, "valid");
        vm.assertEq(round.invalidSeats, 4, "invalid");
        vm.assertEq(round.cannotJudgeSeats, 0, "cannot judge");
        vm.assertEq(uint256(round.verdict), uint256(Verdict.Invalid), "verdict");
        _skip(APPEAL - 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Appealing));
        court.conclude(caseId);
        _skip(1);
        court.conclude(caseId);
        _assertStage(caseId, Stage.Closed, "closed");
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Closed));
        court.conclude(caseId);
    }

    function test_majoritiesAreOfAllRevealedSeats() public {
        _assertFirstVerdict(1, 4, 3, 0, Verdict.Valid);
        _assertFirstVerdict(2, 3, 4, 0, Verdict.Invalid);
        _assertFirstVerdict(3, 3, 3, 0, Verdict.Undecided);
        _assertFirstVerdict(4, 0, 3, 3, Verdict.Undecided);
        _assertFirstVerdict(5, 3, 0, 3, Verdict.Undecided);
        _assertFirstVerdict(6, 0, 0, 7, Verdict.Undecided);
        _assertFirstVerdict(7, 1, 2, 0, Verdict.Invalid);
        _assertFirstVerdict(8, 3, 0, 0, Verdict.Valid);
    }

    function _assertFirstVerdict(uint256 task, uint256 valid, uint256 invalid, uint256 cannotJudge, Verdict verdict)
        private
    {
        uint256 id = vm.snapshotState();
        uint256 caseId = _challenge(task);
        _hear(caseId, valid, invalid, cannotJudge);
        _assertVerdict(caseId, verdict, "verdict");
        _assertStage(caseId, Stage.Appealing, "quorum");
        vm.revertToState(id);
    }

    function test_withoutQuorumTheNextSizeOpensAtOnce() public {
        uint256 caseId = _challenge(1);
        // Two of seven are not a third; cannot-judge would count.
        _vote(caseId, 1, 1, 0);
        vm.expectEmit(address(court));
        emit ICourt.RoundConcluded(caseId, 0, Verdict.Undecided, false);
        vm.expectEmit(address(court));
        emit ICourt.RoundOpened(
            caseId, 1, 15, staking.currentEpoch() - 1, _now() + SEAL, challenger, Vote.Invalid, 5 * FEE
        );
        court.conclude(caseId);
        _assertStage(caseId, Stage.Sealing, "next round");
        vm.assertEq(uint256(_round(caseId)), 1, "round");
        vm.assertEq(court.getRound(caseId, 0).potWei, 2 * FEE, "kept for who judged");
        vm.assertEq(uint256(court.getRound(caseId, 0).appealEndsAt), 0, "nothing to appeal");
        vm.assertEq(court.getRound(caseId, 1).potWei, 5 * FEE, "carried");
        vm.assertEq(court.getRound(caseId, 1).payer, challenger, "same payer");
        _assertSolvent();

        _hear(caseId, 0, 0, 0);
        vm.assertEq(uint256(_round(caseId)), 2, "round");
        _vote(caseId, 0, 0, 0);
        vm.expectEmit(address(court));
        emit ICourt.CaseClosed(caseId, Verdict.Undecided, 0, 0);
        court.conclude(caseId);
        _assertStage(caseId, Stage.Closed, "closed");
        vm.assertEq(court.creditOf(challenger), 5 * FEE, "the bond less what jurors earned");
        vm.assertEq(_bondOf(miner), BOND, "nobody is slashed");
        (uint256 openCaseId, bool consumed) = court.caseOf(_receipt(1).result.assignment);
        vm.assertEq(openCaseId, 0, "open case");
        vm.assertFalse(consumed, "consumed");
        court.creditJuror(caseId, 0, jurors[0]);
        court.creditJuror(caseId, 0, jurors[1]);
        vm.assertEq(court.creditOf(jurors[0]), FEE, "said valid");
        vm.assertEq(court.creditOf(jurors[1]), FEE, "said invalid");
        _assertSolvent();
    }

    function test_anUndecidedReceiptMayBeChallengedAgain() public {
        Receipt memory receipt = _receipt(1);
        uint256 caseId = _challenge(receipt);
        _hear(caseId, 3, 3, 0);
        _close(caseId);
        _assertVerdict(caseId, Verdict.Undecided, "verdict");
        vm.assertEq(court.creditOf(challenger), FEE, "what the jurors left");
        vm.assertEq(_challenge(receipt), 2, "case");
        _assertSolvent();
    }

    function test_validCostsTheChallengerItsBond() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 5, 1, 1);
        vm.expectEmit(address(court));
        emit ICourt.CaseClosed(caseId, Verdict.Valid, 0, 0);
        _close(caseId);
        vm.assertEq(_bondOf(miner), BOND, "bond");
        vm.assertEq(staking.poolWei(), 2 * FEE, "what jurors left");
        vm.assertEq(court.creditOf(challenger), 0, "challenger");
        vm.assertEq(court.getRound(caseId, 0).potWei, 5 * FEE, "still to collect");
        (uint256 frozenWei,) = _frozenOf(miner);
        vm.assertEq(frozenWei, 0, "frozen");
        vm.assertEq(uint256(court.getRecord(miner).openDisputes), 0, "open disputes");
        vm.assertEq(uint256(court.getRecord(miner).step), 0, "step");
        _assertSolvent();
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(court.creditJuror(caseId, 0, jurors[i]), FEE, "pay");
        }
        _assertSolvent();
    }

    function test_invalidSlashesRefillsAndPaysTheCut() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 1, 6, 0);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Slashed(miner, caseId, 3_000 ether, 0, 0, 6 * FEE + 2_994 ether / 4);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Jailed(miner, _now() + APPEAL + JAIL);
        vm.expectEmit(address(court));
        emit ICourt.CaseClosed(caseId, Verdict.Invalid, 3_000 ether, 1_000);
        _close(caseId);
        vm.assertEq(_bondOf(miner), BOND - 3_000 ether, "bond");
        // One fee that nobody earned, six that the slash refills.
        vm.assertEq(court.creditOf(challenger), 7 * FEE, "bond back");
        (address reporter, uint256 cutWei, uint64 releaseAt) = court.cutOf(caseId);
        vm.assertEq(reporter, challenger, "reporter");
        vm.assertEq(cutWei, 2_994 ether / 4, "cut");
        vm.assertEq(uint256(releaseAt), _now() + THAW, "one thaw later");
        vm.assertEq(staking.poolWei(), 2_994 ether * 3 / 4, "pool");
        ICourt.RecordView memory record = court.getRecord(miner);
        vm.assertEq(uint256(record.step), 1, "step");
        vm.assertEq(uint256(record.stepAt), _now(), "step at");
        vm.assertEq(uint256(record.stepBps), 1_000, "step bps");
        vm.assertEq(record.frozenWei, 0, "frozen");
        _assertSolvent();
    }

    function test_aSlashThatFindsLittleRefillsAsFarAsItGoes() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 0, 7, 0);
        vm.prank(address(court));
        staking.slash(miner, BOND - 2 ether, 0, 0, 99);
        _close(caseId);
        vm.assertEq(court.creditOf(challenger), 2 ether, "all that was there");
        (, uint256 cutWei,) = court.cutOf(caseId);
        vm.assertEq(cutWei, 0, "no cut");
        _assertSolvent();
    }

    function test_neverSealedForAThawClosesUndecided() public {
        uint256 caseId = _challenge(1);
        _skip(SEAL + THAW);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Sealing));
        court.conclude(caseId);
        _skip(1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Due));
        court.seal(caseId, "");
        vm.expectEmit(address(court));
        emit ICourt.CaseClosed(caseId, Verdict.Undecided, 0, 0);
        court.conclude(caseId);
        vm.assertEq(court.creditOf(challenger), 7 * FEE, "bond back");
        vm.assertEq(court.getRound(caseId, 0).potWei, 0, "pot");
        _assertSolvent();
    }

    // ---- appeal ----

    function test_appealOpensTheNextSize() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 5, 2, 0);
        vm.assertEq(court.appealBondWei(caseId), 15 * 2 * FEE, "bond");
        vm.expectEmit(address(court));
        emit ICourt.RoundOpened(
            caseId, 1, 15, staking.currentEpoch() - 1, _now() + SEAL, appellant, Vote.Invalid, 30 * FEE
        );
        vm.expectEmit(address(court));
        emit ICourt.Credited(caseId, appellant, 1 ether, _now());
        vm.expectEmit(address(staking));
        emit IStakingHooks.Frozen(miner, BOND / 10, _now() + court.disputeSeconds());
        vm.prank(appellant);
        court.appeal{value: 31 ether}(caseId, Vote.Invalid);
        _assertStage(caseId, Stage.Sealing, "stage");
        _assertVerdict(caseId, Verdict.Valid, "of the last concluded round");
        vm.assertEq(uint256(_round(caseId)), 1, "round");
        vm.assertEq(court.appealBondWei(caseId), 63 * 4 * FEE, "next bond");
        _assertSolvent();
    }

    function test_appealOnlyForWhatDoesNotStand() public {
        uint256 caseId = _challenge(1);
        _refuseAppeal(caseId, Vote.Invalid, abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Sealing));
        _hear(caseId, 5, 2, 0);
        _refuseAppeal(caseId, Vote.Valid, abi.encodeWithSelector(ICourt.SideStands.selector, caseId, Vote.Valid));
        _refuseAppeal(caseId, Vote.None, abi.encodeWithSelector(ICourt.SideStands.selector, caseId, Vote.None));
        _refuseAppeal(
            caseId, Vote.CannotJudge, abi.encodeWithSelector(ICourt.SideStands.selector, caseId, Vote.CannotJudge)
        );
        vm.expectRevert(abi.encodeWithSelector(ICourt.BondTooLow.selector, 1, 30 * FEE));
        vm.prank(appellant);
        court.appeal{value: 1}(caseId, Vote.Invalid);
        _skip(APPEAL);
        _refuseAppeal(caseId, Vote.Invalid, abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Due));
        court.conclude(caseId);

        uint256 other = _challenge(2);
        _hear(other, 2, 5, 0);
        _refuseAppeal(other, Vote.Invalid, abi.encodeWithSelector(ICourt.SideStands.selector, other, Vote.Invalid));
    }

    function test_whatIsUndecidedMayBeAppealedForEitherSide() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 3, 3, 1);
        uint256 id = vm.snapshotState();
        _appeal(caseId, appellant, Vote.Valid);
        vm.revertToState(id);
        _appeal(caseId, appellant, Vote.Invalid);
    }

    function _refuseAppeal(uint256 caseId, Vote side, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(appellant);
        court.appeal{value: 1_000 ether}(caseId, side);
    }

    /// @dev Valid, appealed; invalid, appealed; valid in the end: whoever paid for the side that lost pays the jurors of all.
    function test_losersRefillWhatWinnersPaid() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 7, 0, 0);
        _appeal(caseId, appellant, Vote.Invalid);
        _hear(caseId, 0, 7, 0);
        uint256 secondPot = court.getRound(caseId, 1).potWei;
        vm.assertEq(secondPot, 30 * FEE, "appellant's pot");
        _appeal(caseId, stranger, Vote.Valid);
        _hear(caseId, 7, 0, 0);
        _assertStage(caseId, Stage.Closed, "the last round's verdict is final");
        _assertVerdict(caseId, Verdict.Valid, "verdict");
        vm.assertEq(court.appealBondWei(caseId), 0, "no further appeal");
        // Of the losers' pots, round 0 was earned whole, round 1 by nobody: its 30 go towards the 252 of the winner.
        vm.assertEq(court.creditOf(stranger), 30 * FEE, "refilled");
        vm.assertEq(court.creditOf(appellant) + court.creditOf(challenger), 0, "losers");
        vm.assertEq(staking.poolWei(), 0, "pool");
        vm.assertEq(court.getRound(caseId, 2).potWei, 252 * FEE, "for the last jury");
        _assertSolvent();
    }

    /// @dev The slash is the last to refill, earlier rounds are first to be refilled, and only the challenger has a cut.
    function test_aConvictionOnAppealPaysEveryWinner() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 7, 0, 0);
        _appeal(caseId, appellant, Vote.Invalid);
        _hear(caseId, 0, 7, 0);
        uint256 invalidSeats = court.getRound(caseId, 1).invalidSeats;
        vm.assertTrue(invalidSeats >= 14, "all jurors");
        _close(caseId);
        vm.assertEq(court.creditOf(challenger), 7 * FEE, "nobody of round 0 earned");
        vm.assertEq(court.creditOf(appellant), 30 * FEE, "refilled by the slash");
        (address reporter, uint256 cutWei,) = court.cutOf(caseId);
        vm.assertEq(reporter, challenger, "cut");
        uint256 paidWei = 30 * FEE / (invalidSeats > 15 ? invalidSeats : 15) * invalidSeats;
        vm.assertEq(cutWei, (3_000 ether - paidWei) / 4, "of what the refill left");
        _assertSolvent();
    }

    function test_refillsGoToEarlierRoundsFirst() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 0, 7, 0);
        _appeal(caseId, appellant, Vote.Valid);
        _hear(caseId, 7, 0, 0);
        _appeal(caseId, stranger, Vote.Invalid);
        vm.prank(address(court));
        staking.slash(miner, BOND - 3 ether, 0, 0, 99);
        _hear(caseId, 0, 7, 0);
        vm.assertEq(court.creditOf(challenger), 7 * FEE, "first");
        vm.assertEq(court.creditOf(stranger), (30 + 3 - 7) * FEE, "what is left");
        vm.assertEq(court.creditOf(appellant), 0, "lost");
        _assertSolvent();
    }

    // ---- money out ----

    function test_withdrawPaysAllCredits() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 0, 7, 0);
        _close(caseId);
        uint256 before = stranger.balance;
        vm.expectEmit(address(court));
        emit ICourt.CreditWithdrawn(challenger, stranger, 7 * FEE);
        vm.prank(challenger);
        vm.assertEq(court.withdraw(payable(stranger)), 7 * FEE, "amount");
        vm.assertEq(stranger.balance - before, 7 * FEE, "paid");
        vm.assertEq(court.creditOf(challenger), 0, "credit");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NothingToWithdraw.selector, challenger));
        vm.prank(challenger);
        court.withdraw(payable(stranger));
        _assertSolvent();
    }

    function test_withdrawRefusesZeroAndWhoDoesNotTakeIt() public {
        Receipt memory receipt = _receipt(1);
        vm.prank(challenger);
        court.challenge{value: 8 * FEE}(receipt, _evidence());
        vm.startPrank(challenger);
        vm.expectRevert(abi.encodeWithSelector(ICourt.ParameterInvalid.selector, "to"));
        court.withdraw(payable(0));
        vm.expectRevert(abi.encodeWithSelector(ICourt.TransferFailed.selector, address(staking), FEE));
        court.withdraw(payable(address(staking)));
        vm.stopPrank();
        vm.assertEq(court.creditOf(challenger), FEE, "still there");
    }

    function test_withdrawCutWaitsAThaw() public {
        uint256 caseId = _convict(1);
        (, uint256 cutWei, uint64 releaseAt) = court.cutOf(caseId);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NothingToWithdraw.selector, stranger));
        vm.prank(stranger);
        court.withdrawCut(caseId, payable(stranger));
        vm.warp(releaseAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.CreditNotReleased.selector, caseId, releaseAt));
        vm.prank(challenger);
        court.withdrawCut(caseId, payable(challenger));
        vm.warp(releaseAt);
        uint256 before = challenger.balance;
        vm.prank(challenger);
        vm.assertEq(court.withdrawCut(caseId, payable(challenger)), cutWei, "amount");
        vm.assertEq(challenger.balance - before, cutWei, "paid");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NothingToWithdraw.selector, challenger));
        vm.prank(challenger);
        court.withdrawCut(caseId, payable(challenger));
        _assertSolvent();
    }

    function test_onlyStakingSendsMoney() public {
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, stranger));
        vm.prank(stranger);
        (bool sent,) = address(court).call{value: 1}("");
        vm.assertTrue(sent, "the revert was expected");
    }

    // ---- views ----

    function test_whatIsNotThere() public {
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseUnknown.selector, 1));
        court.getDispute(1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseUnknown.selector, 1));
        court.conclude(1);
        vm.assertEq(court.getRound(1, 0).payer, address(0), "no round");
        vm.assertEq(court.getSeat(1, 0, jurors[0]).seats, 0, "no seat");
        vm.expectRevert(abi.encodeWithSelector(ICourt.ParameterInvalid.selector, "round"));
        court.seats(3);
    }

    function test_parametersAreReadable() public view {
        CourtParameters memory given = _parameters();
        vm.assertEq(address(court.staking()), address(staking), "staking");
        vm.assertEq(court.randomness(), address(randomness), "randomness");
        vm.assertEq(uint256(court.evidenceSeconds()), given.evidenceSeconds, "evidence");
        vm.assertEq(uint256(court.sealSeconds()), given.sealSeconds, "seal");
        vm.assertEq(uint256(court.commitSeconds()), given.commitSeconds, "commit");
        vm.assertEq(uint256(court.revealSeconds()), given.revealSeconds, "reveal");
        vm.assertEq(uint256(court.appealSeconds()), given.appealSeconds, "appeal");
        vm.assertEq(uint256(court.jailSeconds()), given.jailSeconds, "jail");
        vm.assertEq(uint256(court.disputeSeconds()), 3 * (SEAL + COMMIT + REVEAL + APPEAL), "dispute");
        vm.assertEq(court.jurorFeeWei(), FEE, "fee");
        vm.assertEq(court.seats(0), 7, "seats");
        vm.assertEq(court.seats(1), 15, "seats");
        vm.assertEq(court.seats(2), 63, "seats");
    }

    /// @dev The court hashes calldata without a copy: the same structures in the same domain as everybody's.
    function test_digestsAreThoseOfSigned() public view {
        Receipt memory receipt = _receipt(1);
        bytes32 domain = staking.domainSeparator();
        vm.assertEq(
            court.assignmentDigest(receipt.assignment),
            keccak256(abi.encodePacked("\x19\x01", domain, Signed.hash(receipt.assignment))),
            "assignment"
        );
        vm.assertEq(
            court.resultDigest(receipt.result),
            keccak256(abi.encodePacked("\x19\x01", domain, Signed.hash(receipt.result))),
            "result"
        );
    }

    // ---- constructor ----

    function test_constructorAsksToBeNamed() public {
        staking.wire(address(0), address(1), address(0));
        vm.expectRevert(abi.encodeWithSelector(ICourt.ParameterInvalid.selector, "staking"));
        new Court(staking, randomness, _parameters());
    }
}
