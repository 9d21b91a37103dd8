// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Verdict, Vote} from "../../src/interfaces/ICourt.sol";
import {Receipt} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Judging oneself, under whichever key.
contract ExclusionsAttack is CourtBase {
    function test_theAccusedDoesNotJudge() public {
        uint256 caseId = _challenge(1);
        _assertOut(caseId, 0, miner, JURORS * BOND);
    }

    function test_theAccusedAsItsOwnChallengerIsTakenOutOnce() public {
        uint256 caseId = _challengeBy(miner);
        _assertOut(caseId, 0, miner, JURORS * BOND);
    }

    function test_aNodeThatChallengesDoesNotJudge() public {
        uint256 caseId = _challengeBy(jurors[0]);
        _assertOut(caseId, 0, jurors[0], (JURORS - 1) * BOND);
    }

    function test_aChallengersKeyIsItsNode() public {
        uint256 caseId = _challengeBy(_operator(jurors[0]));
        _assertOut(caseId, 0, jurors[0], (JURORS - 1) * BOND);
        _assertOut(caseId, 0, miner, (JURORS - 1) * BOND);
    }

    function test_aKeyOfThePastIsStillItsNode() public {
        staking.rotate(_operator(jurors[0]), stranger);
        _skip(2 * THAW);
        uint256 caseId = _challengeBy(_operator(jurors[0]));
        _assertOut(caseId, 0, jurors[0], (JURORS - 1) * BOND);
    }

    /// @dev Who paid for any round so far judges in none from there on; each is taken out once.
    function test_appellantsDoNotJudgeTheirAppeal() public {
        uint256 caseId = _challengeBy(jurors[0]);
        _voteBy(caseId, 1, Vote.Valid);
        _appealBy(caseId, jurors[1], Vote.Invalid);
        _assertOut(caseId, 1, jurors[0], (JURORS - 2) * BOND);
        _assertOut(caseId, 1, jurors[1], (JURORS - 2) * BOND);
        _voteBy(caseId, 2, Vote.Invalid);
        // The same node again, by its key: still two are out, with the accused.
        _appealBy(caseId, _operator(jurors[1]), Vote.Valid);
        _assertOut(caseId, 2, jurors[0], (JURORS - 2) * BOND);
        _assertOut(caseId, 2, jurors[1], (JURORS - 2) * BOND);
        // What was judged before was judged: the appellant sat in the first round.
        vm.assertTrue(court.getSeat(caseId, 0, jurors[1]).seats != 0, "in the first round");
        uint256 sum;
        _sealIfNeeded(caseId);
        for (uint256 i = 2; i < JURORS; ++i) {
            sum += court.getSeat(caseId, 2, jurors[i]).seats;
        }
        // 5 x 63 / 5, each exactly its twelve and 3/5.
        vm.assertApproxEqAbs(sum, 63, 5, "the others have all seats");
    }

    /// @dev Nobody is left to judge: it comes to nothing, by itself.
    function test_withoutAnybodyElseItIsUndecided() public {
        for (uint256 i = 0; i < JURORS; ++i) {
            staking.setBond(jurors[i], 0);
        }
        uint256 caseId = _challenge(1);
        vm.assertEq(court.getRound(caseId, 0).eligibleWei, 0, "eligible");
        for (uint256 i = 0; i < 3; ++i) {
            _seal(caseId);
            vm.expectRevert(abi.encodeWithSelector(ICourt.NoSeat.selector, caseId, i, jurors[0]));
            court.summon(caseId, jurors[0]);
            _skip(COMMIT + REVEAL);
            court.conclude(caseId);
        }
        _assertVerdict(caseId, Verdict.Undecided, "undecided");
        vm.assertEq(court.creditOf(challenger), 7 * FEE, "bond back");
    }

    function _challengeBy(address account) private returns (uint256) {
        vm.deal(account, 7 * FEE);
        Receipt memory receipt = _receipt(1);
        vm.prank(account);
        return court.challenge{value: 7 * FEE}(receipt, _evidence());
    }

    function _appealBy(uint256 caseId, address account, Vote side) private {
        vm.deal(account, 1_000 ether);
        _appeal(caseId, account, side);
    }

    /// @dev All that have a seat from the `first` juror on.
    function _voteBy(uint256 caseId, uint256 first, Vote vote) private {
        _sealIfNeeded(caseId);
        for (uint256 i = first; i < JURORS; ++i) {
            if (court.getSeat(caseId, _round(caseId), jurors[i]).seats != 0) _commit(caseId, jurors[i], vote);
        }
        _skip(COMMIT);
        for (uint256 i = first; i < JURORS; ++i) {
            if (court.getSeat(caseId, _round(caseId), jurors[i]).seats != 0) _reveal(caseId, jurors[i], vote);
        }
        _skip(REVEAL);
        court.conclude(caseId);
    }

    function _sealIfNeeded(uint256 caseId) private {
        if (court.getRound(caseId, _round(caseId)).seed == 0) _seal(caseId);
    }

    function _assertOut(uint256 caseId, uint8 round, address node, uint256 eligibleWei) private {
        vm.assertEq(court.getRound(caseId, round).eligibleWei, eligibleWei, "eligible");
        _sealIfNeeded(caseId);
        vm.assertEq(court.getSeat(caseId, round, node).seats, 0, "no seat");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSeat.selector, caseId, round, node));
        vm.prank(node);
        court.commit(caseId, node, "commitment");
    }
}
