// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Stage, Verdict, Vote} from "../../src/interfaces/ICourt.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice What a juror does, earns and loses.
contract JuriesTest is CourtBase {
    uint256 private caseId;

    function setUp() public override {
        super.setUp();
        caseId = _challenge(1);
    }

    // ---- seats and duty ----

    function test_equalBondsHoldEqualSeats() public {
        vm.assertEq(court.getSeat(caseId, 0, jurors[0]).seats, 0, "not drawn yet");
        _seal(caseId);
        for (uint256 i = 0; i < JURORS; ++i) {
            ICourt.SeatView memory seat = court.getSeat(caseId, 0, jurors[i]);
            vm.assertEq(seat.seats, 1, "seats");
            vm.assertFalse(seat.pinned, "pinned");
        }
        vm.assertEq(court.getSeat(caseId, 0, miner).seats, 0, "the accused");
        vm.assertEq(court.getSeat(caseId, 0, coordinator).seats, 0, "no miner");
    }

    function test_aFractionIsDrawnBySeedCaseRoundAndNode() public {
        // Of 7 seats a bond of 1/8 of all holds 7/8, drawn.
        _addNode(stranger, Role.Miner, BOND);
        uint256 other = _challenge(2);
        _seal(other);
        bytes32 seed = court.getRound(other, 0).seed;
        uint256 sum;
        for (uint256 i = 0; i <= JURORS; ++i) {
            address node = i < JURORS ? jurors[i] : stranger;
            uint256 draw = uint256(keccak256(abi.encode(seed, other, uint8(0), node)));
            uint256 expected = draw / 2 ** 128 < uint256(7) * 2 ** 128 / 8 ? 1 : 0;
            vm.assertEq(court.getSeat(other, 0, node).seats, expected, "seats");
            sum += expected;
        }
        vm.assertTrue(sum >= 4, "about seven");
    }

    function test_summonPinsSeats() public {
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Sealing));
        court.summon(caseId, jurors[0]);
        _seal(caseId);
        vm.expectEmit(address(court));
        emit ICourt.JurorSummoned(caseId, 0, jurors[0], 1);
        vm.assertEq(court.summon(caseId, jurors[0]), 1, "seats");
        vm.assertTrue(court.getSeat(caseId, 0, jurors[0]).pinned, "pinned");
        vm.assertEq(court.summon(caseId, jurors[0]), 1, "again");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSeat.selector, caseId, 0, miner));
        court.summon(caseId, miner);
        _skip(COMMIT);
        vm.assertEq(court.summon(caseId, jurors[1]), 1, "while others reveal");
        _skip(REVEAL);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Due));
        court.summon(caseId, jurors[2]);
    }

    // ---- commit and reveal ----

    function test_commitOnce() public {
        bytes32 commitment = court.commitmentOf(caseId, 0, jurors[0], Vote.Valid, "salt");
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Sealing));
        vm.prank(jurors[0]);
        court.commit(caseId, jurors[0], commitment);
        _seal(caseId);

        vm.expectRevert(abi.encodeWithSelector(ICourt.NotActing.selector, stranger, jurors[0]));
        vm.prank(stranger);
        court.commit(caseId, jurors[0], commitment);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSeat.selector, caseId, 0, miner));
        vm.prank(miner);
        court.commit(caseId, miner, commitment);
        vm.expectRevert(abi.encodeWithSelector(ICourt.CommitmentInvalid.selector, caseId, jurors[0]));
        vm.prank(jurors[0]);
        court.commit(caseId, jurors[0], 0);

        vm.expectEmit(address(court));
        emit ICourt.JurorSummoned(caseId, 0, jurors[0], 1);
        vm.expectEmit(address(court));
        emit ICourt.VoteCommitted(caseId, 0, jurors[0], commitment);
        vm.prank(jurors[0]);
        court.commit(caseId, jurors[0], commitment);
        vm.assertEq(court.getSeat(caseId, 0, jurors[0]).commitment, commitment, "commitment");
        vm.expectRevert(abi.encodeWithSelector(ICourt.AlreadyCommitted.selector, caseId, jurors[0]));
        vm.prank(_operator(jurors[0]));
        court.commit(caseId, jurors[0], keccak256("another"));
        _skip(COMMIT);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Revealing));
        vm.prank(jurors[1]);
        court.commit(caseId, jurors[1], commitment);
    }

    function test_revealWhatWasCommitted() public {
        _seal(caseId);
        address juror = jurors[0];
        _commit(caseId, juror, Vote.Invalid);
        _refuseReveal(
            juror, Vote.Invalid, abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Committing)
        );
        _skip(COMMIT);
        bytes memory mismatch = abi.encodeWithSelector(ICourt.CommitmentInvalid.selector, caseId, juror);
        _refuseReveal(juror, Vote.Valid, mismatch);
        _refuseReveal(juror, Vote.None, mismatch);
        _refuseReveal(
            jurors[1], Vote.Valid, abi.encodeWithSelector(ICourt.CommitmentInvalid.selector, caseId, jurors[1])
        );
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotActing.selector, stranger, juror));
        vm.prank(stranger);
        court.reveal(caseId, juror, Vote.Invalid, _salt(juror));

        vm.expectEmit(address(court));
        emit ICourt.VoteRevealed(caseId, 0, juror, Vote.Invalid, 1);
        _reveal(caseId, juror, Vote.Invalid);
        vm.assertEq(court.getRound(caseId, 0).invalidSeats, 1, "counted");
        vm.assertEq(uint256(court.getSeat(caseId, 0, juror).vote), uint256(Vote.Invalid), "vote");
        _refuseReveal(juror, Vote.Invalid, mismatch);
        _skip(REVEAL);
        _refuseReveal(juror, Vote.Invalid, abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Due));
    }

    function test_aNoneVoteCommittedIsNoVote() public {
        _seal(caseId);
        _commit(caseId, jurors[0], Vote.None);
        _skip(COMMIT);
        _refuseReveal(
            jurors[0], Vote.None, abi.encodeWithSelector(ICourt.CommitmentInvalid.selector, caseId, jurors[0])
        );
    }

    function _refuseReveal(address juror, Vote vote, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(juror);
        court.reveal(caseId, juror, vote, _salt(juror));
    }

    // ---- pay ----

    function test_coherentJurorsArePaid() public {
        _hear(caseId, 1, 5, 1);
        _refusePay(jurors[1]);
        _close(caseId);
        _refusePay(jurors[0]);
        _refusePay(jurors[6]);
        _refusePay(stranger);
        vm.expectEmit(address(court));
        emit ICourt.Credited(caseId, jurors[1], FEE, _now());
        vm.assertEq(court.creditJuror(caseId, 0, jurors[1]), FEE, "amount");
        vm.assertEq(court.creditOf(jurors[1]), FEE, "credit");
        vm.assertTrue(court.getSeat(caseId, 0, jurors[1]).paid, "paid");
        vm.assertEq(court.getRound(caseId, 0).potWei, 4 * FEE, "left for the others");
        _refusePay(jurors[1]);
        _assertSolvent();
        vm.prank(jurors[1]);
        court.withdraw(payable(jurors[1]));
        _assertSolvent();
    }

    /// @dev A fractional draw can seat more than n: then n fees are shared by them all.
    function test_moreCoherentSeatsThanTheSizeShareThePot() public {
        _hear(caseId, 0, 7, 0);
        // 15 seats of 7 equal bonds: 2 each and one more with 1/7. Choose a seed with more than one of these.
        uint64 round = _now() + SEAL;
        randomness.choose(round, _seedFor(1, 16));
        _appeal(caseId, appellant, Vote.Valid);
        _hear(caseId, 0, 7, 0);
        uint256 seated = court.getRound(caseId, 1).invalidSeats;
        vm.assertTrue(seated > 15, "more than the size");
        _close(caseId);
        uint256 seatWei = 30 * FEE / seated;
        vm.assertEq(court.getRound(caseId, 1).potWei, seatWei * seated, "pot");
        uint256 sumWei;
        for (uint256 i = 0; i < JURORS; ++i) {
            uint256 amountWei = court.creditJuror(caseId, 1, jurors[i]);
            vm.assertEq(amountWei, seatWei * court.getSeat(caseId, 1, jurors[i]).seats, "pay");
            sumWei += amountWei;
        }
        vm.assertEq(sumWei, seatWei * seated, "all of it");
        vm.assertEq(court.getRound(caseId, 1).potWei, 0, "nothing left");
        _assertSolvent();
    }

    function _seedFor(uint8 round, uint256 least) private view returns (bytes32 seed) {
        for (uint256 i = 1;; ++i) {
            seed = bytes32(i);
            uint256 sum;
            for (uint256 j = 0; j < JURORS; ++j) {
                uint256 draw = uint256(keccak256(abi.encode(seed, caseId, round, jurors[j])));
                sum += draw / 2 ** 128 < uint256(2 ** 128) / 7 ? 3 : 2;
            }
            if (sum >= least) return seed;
        }
    }

    function _refusePay(address node) private {
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotPayable.selector, caseId, 0, node));
        court.creditJuror(caseId, 0, node);
    }

    // ---- fines ----

    function test_silentJurorsAreFinedAndInactive() public {
        _seal(caseId);
        _refuseFine(0, jurors[0]);
        _skip(COMMIT + REVEAL - 1);
        _refuseFine(0, jurors[0]);
        _skip(1);
        vm.expectEmit(address(court));
        emit ICourt.JurorSummoned(caseId, 0, jurors[0], 1);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Slashed(jurors[0], caseId, 200 ether, 0, 0, 0);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Jailed(jurors[0], _now());
        vm.expectEmit(address(court));
        emit ICourt.JurorFined(caseId, 0, jurors[0], 200 ether, true);
        vm.assertEq(court.fine(caseId, 0, jurors[0]), 200 ether, "1 % of 20,000");
        vm.assertTrue(court.getSeat(caseId, 0, jurors[0]).fined, "fined");
        vm.assertFalse(staking.isActive(jurors[0]), "inactive");
        vm.assertEq(staking.poolWei(), 200 ether, "to the pool whole");
        _refuseFine(0, jurors[0]);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSeat.selector, caseId, 0, stranger));
        court.fine(caseId, 0, stranger);
        _refuseFine(1, jurors[1]);
        _assertSolvent();
    }

    function test_overruledJurorsAreFinedWhenTheCaseIsClosed() public {
        _hear(caseId, 2, 4, 1);
        _refuseFine(0, jurors[0]);
        _close(caseId);
        vm.assertEq(court.fine(caseId, 0, jurors[0]), 200 ether, "said valid");
        vm.assertTrue(staking.isActive(jurors[0]), "still active");
        _refuseFine(0, jurors[2]);
        _refuseFine(0, jurors[6]);
        _refuseFine(0, jurors[0]);

        uint256 other = _challenge(2);
        _hear(other, 5, 2, 0);
        _close(other);
        vm.assertEq(court.fine(other, 0, jurors[6]), 200 ether, "said invalid");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotFinable.selector, other, 0, jurors[0]));
        court.fine(other, 0, jurors[0]);
    }

    function test_finesRiseByRound() public {
        _hear(caseId, 7, 0, 0);
        _appeal(caseId, appellant, Vote.Invalid);
        _hear(caseId, 7, 0, 0);
        _appeal(caseId, appellant, Vote.Invalid);
        _hear(caseId, 0, 7, 0);
        // S / n = 7 x 30,000 / 15 = 14,000, and / 63 = 3,333.3.
        uint256 held = court.getSeat(caseId, 1, jurors[0]).seats;
        vm.assertEq(court.fine(caseId, 0, jurors[0]), 200 ether, "1 % of 20,000");
        vm.assertEq(court.fine(caseId, 1, jurors[0]), held * 14_000 ether / 20, "5 % of S / n");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotFinable.selector, caseId, 2, jurors[0]));
        court.fine(caseId, 2, jurors[0]);
    }

    function test_theLastRoundsFine() public {
        _hear(caseId, 0, 0, 0);
        _hear(caseId, 0, 0, 0);
        _hear(caseId, 0, 0, 0);
        uint256 seatWei = JURORS * BOND / 63;
        vm.assertEq(court.fine(caseId, 2, jurors[0]), 9 * seatWei / 5, "20 % of S / n");
    }

    function test_whoIsUndecidedFinesNobodyWhoJudged() public {
        _hear(caseId, 3, 3, 0);
        _close(caseId);
        _refuseFine(0, jurors[0]);
        _refuseFine(0, jurors[3]);
        vm.assertEq(court.fine(caseId, 0, jurors[6]), 200 ether, "silent");
    }

    function test_finesEndAThawAfterTheRound() public {
        _hear(caseId, 0, 3, 0);
        uint64 endedAt = court.getRound(caseId, 0).revealEndsAt;
        vm.warp(endedAt + THAW);
        uint256 id = vm.snapshotState();
        court.fine(caseId, 0, jurors[6]);
        vm.revertToState(id);
        _skip(1);
        _refuseFine(0, jurors[6]);
        vm.assertEq(uint256(court.getRound(caseId, 0).revealEndsAt), endedAt, "a tallied round's windows stand");
    }

    function test_aFineTakesAtMostWhatIsThere() public {
        _hear(caseId, 0, 3, 0);
        vm.prank(address(court));
        staking.slash(jurors[6], BOND - 5 ether, 0, 0, 99);
        vm.assertEq(court.fine(caseId, 0, jurors[6]), 5 ether, "all of it");
    }

    function _refuseFine(uint8 round, address node) private {
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotFinable.selector, caseId, round, node));
        court.fine(caseId, round, node);
    }
}
