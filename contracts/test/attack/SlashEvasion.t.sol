// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Vote} from "../../src/interfaces/ICourt.sol";
import {IStaking, Role, ThawKind} from "../../src/interfaces/IStaking.sol";
import {Assignment, Receipt} from "../../src/libraries/Signed.sol";
import {Disputes} from "../utils/Disputes.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Getting stake out of the real court's reach: leaving at the deed, long before it, or in the middle of the dispute. And
/// what is left when nothing got out: everybody's exit.
contract SlashEvasionAttack is Disputes {
    // ---- leaving ----

    /// @dev It leaves in the second of its assignment; who has the evidence uses it in the last second.
    function test_leavingAtTheDeedIsTooLate() public {
        Receipt memory receipt = _receipt(1);
        vm.prank(miner);
        staking.deregister();
        uint256 id = staking.thawId(miner, ThawKind.Bond, _now() + THAW);
        _passLive(2 days);
        _judge(_challenge(receipt), Vote.Invalid);
        vm.assertEq(_atRisk(miner), MINER_BOND * 9 / 10, "a tenth of what thaws");
        _skip(THAW);
        vm.assertEq(_withdraw(miner, id), MINER_BOND * 9 / 10, "paid");
    }

    /// @dev It left before the deed, so that its exit matures when the challenge comes: what the dispute can take stays, the rest
    /// leaves, and the verdict takes it to the wei.
    function test_leavingBeforeTheDeedLeavesWhatTheDisputeCanTake() public {
        uint256 startedAt = _now();
        uint256 id = _unbondAll(miner);
        _passLive(THAW - 2 days);
        Receipt memory receipt = _receipt(1);
        _passLive(2 days);
        uint256 caseId = _challenge(receipt);
        vm.assertEq(uint256(_now()), startedAt + THAW, "matured");
        vm.assertApproxEqAbs(_withdraw(miner, id), MINER_BOND * 9 / 10, 1, "nine tenths");
        vm.assertGe(_atRisk(miner), MINER_BOND / 10, "the tenth stays");
        uint256 poolWei = staking.undistributedWei();
        _judge(caseId, Vote.Invalid);
        (, uint256 cutWei,) = court.cutOf(caseId);
        // Seven jurors had a CAI each of the challenger's bond, which the slash makes good.
        vm.assertEq(staking.undistributedWei() - poolWei + cutWei + 7 ether, MINER_BOND / 10, "a tenth of the base");
        vm.assertLe(_withdraw(miner, id), 1, "nothing is left");
    }

    /// @dev A report reaches what thaws, in one ratio with the bond, votes and thawing votes.
    function test_aReportReachesAllThatThaws() public {
        address voter = _account("voter");
        _vote(voter, miner, 1_000 ether);
        Assignment memory given = _assignment(1);
        vm.prank(miner);
        uint256 id = staking.unbond(MINER_BOND / 5);
        (uint256 shares,) = staking.votesOf(voter, miner);
        vm.prank(voter);
        uint256 votesId = staking.unvote(miner, shares / 2, 0);
        _skip(2 days);
        _reportMiner(given, sha256("one"), sha256("two"));
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(miner);
        vm.assertEq(bondWei, MINER_BOND * 4 / 10, "half of the bond");
        vm.assertEq(thawingWei, MINER_BOND / 10, "half of what thaws");
        _skip(THAW);
        vm.assertEq(_withdraw(miner, id), MINER_BOND / 10, "paid");
        vm.assertEq(_withdraw(voter, votesId), 490 ether, "2 % of thawing votes");
        (, uint256 votesWei) = staking.votesOf(voter, miner);
        vm.assertEq(votesWei, 490 ether, "2 % of votes");
    }

    /// @dev Nor does moving the bond to a coordinator's role, or back to the list, shake the dispute off.
    function test_comingBackDoesNotShakeItOff() public {
        uint256 caseId = _challenge(1);
        vm.prank(miner);
        staking.deregister();
        _register("miner", Role.Miner, MINER_BOND);
        _judge(caseId, Vote.Invalid);
        vm.assertEq(_atRisk(miner), 2 * MINER_BOND - MINER_BOND / 10, "a tenth of what it had at the challenge");
        vm.assertFalse(staking.isActive(miner), "in jail");
        vm.startPrank(miner);
        staking.deregister();
        vm.stopPrank();
        _register("miner", Role.Miner, MINER_BOND);
        vm.assertFalse(staking.isActive(miner), "still in jail");
        vm.expectPartialRevert(IStaking.StillJailed.selector);
        vm.prank(miner);
        staking.rejoin(miner);
    }

    // ---- the last withdrawal ----

    /// @dev Three convictions take the whole bond. Voters, who had income before, lose a twentieth together, and every wei that is
    /// left has an exit.
    function test_theThirdConvictionTakesAllAndBricksNothing() public {
        address voter = _account("voter");
        address late = _account("late");
        _vote(voter, miner, 1_000 ether + 1);
        _vote(late, miner, 333 ether + 7);
        _deposit(coordinator, 400 ether);
        _raise(coordinator, miner, 400 ether);
        _redeem(coordinator, miner, 400 ether);
        _passLive(DRIP);
        staking.settle(miner);
        _judge(_challenge(1), Vote.Invalid);
        vm.prank(miner);
        uint256 id = staking.unbond(3_000 ether + 3);
        _passLive(1 hours);
        _judge(_challenge(2), Vote.Invalid);
        uint256 votesId = _unvoteAll(voter);
        _passLive(1 hours);
        _judge(_challenge(3), Vote.Invalid);
        vm.assertEq(_atRisk(miner), 0, "nothing is left of the bond");
        vm.assertEq(court.getRecord(miner).step, 3, "three convictions");

        uint256 lastId = _unvoteAll(late);
        _skip(THAW);
        vm.assertEq(_withdraw(miner, id), 0, "the owner's exit");
        vm.assertApproxEqAbs(_withdraw(voter, votesId), _leftOf(1_000 ether + 1), 3, "voter");
        vm.assertApproxEqAbs(_withdraw(late, lastId), _leftOf(333 ether + 7), 3, "last voter");
        uint256 othersWei = COORDINATOR_BOND + 7 * MINER_BOND + staking.rewardsOf(miner);
        vm.assertEq(address(staking).balance, othersWei + staking.undistributedWei(), "every wei has a place");
    }

    /// @dev With its part of 200 CAI of income, after slashes of 1, 2 and 2 %.
    function _leftOf(uint256 amountWei) private pure returns (uint256) {
        uint256 votesWei = 1_333 ether + 8;
        return amountWei * (votesWei + 200 ether) / votesWei * 99 * 98 * 98 / 1e6;
    }

    /// @dev The pools of a node that lost all take new money, which is nobody's but its holders'.
    function test_aNodeThatLostAllStartsAnew() public {
        address voter = _account("voter");
        _vote(voter, miner, 1_000 ether);
        vm.prank(miner);
        uint256 deadId = staking.unbond(3_000 ether);
        _slash(miner, MINER_BOND);
        vm.assertEq(_atRisk(miner), 0, "nothing is left of the bond");
        _skip(1);
        vm.deal(miner, MINER_BOND);
        vm.startPrank(miner);
        staking.stake{value: MINER_BOND}();
        staking.bond(MINER_BOND);
        uint256 id = staking.unbond(1_000 ether);
        vm.stopPrank();
        _vote(voter, miner, 500 ether);
        (, uint256 votesWei) = staking.votesOf(voter, miner);
        vm.assertApproxEqAbs(votesWei, 1_480 ether, 1, "old votes less 2 %, and new ones");
        vm.assertTrue(staking.isActive(miner), "stands again");
        _skip(THAW);
        vm.assertEq(_withdraw(miner, deadId), 0, "the dead exit");
        vm.assertEq(_withdraw(miner, id), 1_000 ether, "the new one");
    }

    function _unvoteAll(address voter) private returns (uint256) {
        (uint256 shares,) = staking.votesOf(voter, miner);
        vm.prank(voter);
        return staking.unvote(miner, shares, 0);
    }
}
