// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Vote} from "../../src/interfaces/ICourt.sol";
import {IStaking, ThawKind} from "../../src/interfaces/IStaking.sol";
import {Disputes} from "../utils/Disputes.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Disputes opened by the real court to keep an exit from leaving: one after another, many at once, or about somebody
/// else. FreezeGriefingAttack has what the staking contract does whatever a court asks for.
contract ChallengeChainAttack is Disputes {
    uint256 private id;
    uint256 private releaseAt;

    function setUp() public override {
        super.setUp();
        releaseAt = _now() + THAW;
        id = _unbondAll(miner);
    }

    function _passTo(uint256 timestamp) private {
        _passLive(timestamp - _now());
    }

    function _refuse() private {
        vm.expectPartialRevert(IStaking.ExitFrozen.selector);
        vm.prank(miner);
        staking.withdraw(_list(id), type(uint256).max, payable(miner));
    }

    /// @dev A new dispute each day, never an end: the exit leaves one dispute after its release.
    function test_disputesOneAfterAnotherHoldAnExitOnce() public {
        uint256 paidWei;
        uint256 opened;
        while (_now() < releaseAt) {
            if (_now() + 4 days > releaseAt) _challenge(++opened);
            _passLive(12 hours);
        }
        paidWei = _withdraw(miner, id);
        vm.assertApproxEqAbs(paidWei, MINER_BOND * (10 - opened) / 10, 10, "a tenth is held for each");
        _passTo(releaseAt + FREEZE - 1);
        _challenge(++opened);
        _refuse();
        _skip(1);
        paidWei += _withdraw(miner, id);
        vm.assertEq(paidWei, MINER_BOND, "all of it, with disputes open");
        (uint256 heldWei, uint64 until) = staking.freezeOf(miner);
        vm.assertTrue(heldWei != 0 && until > _now(), "and a freeze in force");
    }

    /// @dev Many at once hold what they could take together, and cost twice as much each.
    function test_manyAtOnceHoldTheirSumAndCostTwiceAsMuchEach() public {
        uint256 bondWei = court.challengeBondWei(miner);
        _passTo(releaseAt - 1 hours);
        for (uint256 i = 1; i <= 6; ++i) {
            vm.assertEq(court.challengeBondWei(miner), bondWei, "price");
            _challenge(i);
            bondWei *= 2;
        }
        _passTo(releaseAt);
        vm.assertApproxEqAbs(_withdraw(miner, id), MINER_BOND * 4 / 10, 1, "four tenths leave");
        _refuse();
        vm.assertApproxEqAbs(_atRisk(miner), MINER_BOND * 6 / 10, 1, "six stay");
    }

    /// @dev A verdict for the node ends its hold, long before the freeze would.
    function test_theHoldEndsWithTheVerdict() public {
        _passTo(releaseAt - 1 days);
        uint256 caseId = _challenge(1);
        _judge(caseId, Vote.Valid);
        vm.assertTrue(_now() >= releaseAt && _now() < releaseAt + FREEZE, "meanwhile released");
        vm.assertEq(_withdraw(miner, id), MINER_BOND, "paid");
    }

    /// @dev Of two disputes the closed one's part leaves.
    function test_aClosedDisputesPartIsHeldNoMore() public {
        _passTo(releaseAt - 1 days);
        uint256 first = _challenge(1);
        _challenge(2);
        _judge(first, Vote.Valid);
        vm.assertApproxEqAbs(_withdraw(miner, id), MINER_BOND * 9 / 10, 1, "nine tenths");
        _refuse();
    }

    /// @dev While the miner is in dispute, everybody else leaves at his time: its voters, other nodes, the coordinator that gave
    /// the task, its jurors, the challenger.
    function test_somebodyElsesDisputeHoldsNobody() public {
        address voter = _account("voter");
        _vote(voter, jurors[0], 1_000 ether);
        _vote(challenger, jurors[0], 1_000 ether);
        uint256 startedAt = _now();
        uint256 juror = _unbondAll(jurors[0]);
        uint256 other = _unbondAll(coordinator);
        _unvoteAll(voter, jurors[0]);
        uint256 votes = _unvoteAll(challenger, jurors[0]);
        _passTo(startedAt + THAW - 1 hours);
        _challenge(1);
        _passTo(startedAt + THAW);
        vm.assertEq(_withdraw(jurors[0], juror), MINER_BOND, "juror");
        vm.assertEq(_withdraw(coordinator, other), COORDINATOR_BOND, "coordinator");
        vm.assertEq(_withdraw(voter, votes), 1_000 ether, "voter");
        vm.assertEq(_withdraw(challenger, votes), 1_000 ether, "challenger");
    }

    /// @dev Those who voted for the accused, its owner among them, leave with their votes at their time.
    function test_theAccusedsVotesAreNotHeld() public {
        address voter = _account("voter");
        vm.deal(miner, MINER_BOND);
        vm.startPrank(miner);
        staking.stake{value: MINER_BOND}();
        staking.bond(MINER_BOND);
        vm.stopPrank();
        _vote(voter, miner, 1_000 ether);
        _vote(miner, miner, 1_000 ether);
        uint256 startedAt = _now();
        uint256 votes = _unvoteAll(voter, miner);
        _unvoteAll(miner, miner);
        _passTo(startedAt + THAW - 1 hours);
        _challenge(1);
        _passTo(startedAt + THAW);
        vm.assertEq(_withdraw(voter, votes), 1_000 ether, "voter");
        vm.assertEq(_withdraw(miner, votes), 1_000 ether, "owner");
    }

    /// @dev What is free, and what is earned, is never held.
    function test_freeStakeAndRewardsAreNotHeld() public {
        vm.deal(miner, 5 ether);
        vm.prank(miner);
        staking.stake{value: 5 ether}();
        _deposit(coordinator, 10 ether);
        _raise(coordinator, miner, 10 ether);
        _challenge(1);
        _redeem(coordinator, miner, 10 ether);
        vm.startPrank(miner);
        staking.claim(miner);
        staking.withdraw(new uint256[](0), type(uint256).max, payable(miner));
        vm.stopPrank();
        vm.assertEq(miner.balance, 15 ether, "both");
    }

    function _unvoteAll(address account, address node) private returns (uint256) {
        (uint256 shares,) = staking.votesOf(account, node);
        vm.prank(account);
        staking.unvote(node, shares, 0);
        return staking.thawId(node, ThawKind.Votes, _now() + THAW);
    }
}
