// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract SlashTest is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        _vote(bob, alice, 1_000 ether);
        vm.prank(alice);
        staking.unbond(5_000 ether);
        _unvote(bob, alice, 500 ether * VIRTUAL_SHARES);
    }

    function test_slash() public {
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, false, 18_000 ether, 495 ether, 0);
        vm.expectEmit(address(staking));
        emit IStakingHooks.Slashed(alice, 7, 2_000 ether, 500 ether, 10 ether, 700 ether);
        uint256 before = court.balance;
        vm.prank(court);
        (uint256 takenWei, uint256 paidWei) = staking.slash(alice, 2_500 ether, 100 ether, 2_500, 7);
        vm.assertEq(takenWei, 2_500 ether, "taken");
        vm.assertEq(paidWei, 700 ether, "the refill, then a quarter of the rest");
        vm.assertEq(court.balance - before, 700 ether, "sent");
        vm.assertEq(staking.undistributedWei(), 1_810 ether, "the rest of all of it");
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(alice);
        vm.assertEq(bondWei, 18_000 ether, "bond");
        vm.assertEq(thawingWei, 4_500 ether, "thawing bond");
        vm.assertEq(_votesOf(bob, alice), 495 ether, "votes: a tenth of a tenth");
        vm.assertEq(staking.getNode(alice).thawingVotesWei, 495 ether, "thawing votes");
        vm.assertEq(staking.totalWeight(Role.Miner), 0, "18,000 is not over the threshold");
    }

    function test_votesLoseAtMostTwoPercent() public {
        _slash(alice, MINER_BOND / 2);
        vm.assertEq(_votesOf(bob, alice), 490 ether, "votes");
        vm.assertEq(staking.getNode(alice).thawingVotesWei, 490 ether, "thawing votes");
    }

    function test_refillIsAtMostWhatIsTaken() public {
        vm.prank(court);
        (uint256 takenWei, uint256 paidWei) = staking.slash(alice, 10 ether, 100 ether, 2_500, 7);
        vm.assertEq(takenWei, 10 ether, "taken");
        vm.assertEq(paidWei, 10 ether, "paid");
    }

    function test_slashOfMoreThanThereIs() public {
        vm.assertEq(_slash(alice, MAX), MINER_BOND, "all there is");
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(alice);
        vm.assertEq(bondWei + thawingWei, 0, "nothing left");
        vm.recordLogs();
        vm.assertEq(_slash(alice, 1 ether), 0, "nothing to take");
        vm.assertEq(vm.getRecordedLogs().length, 0, "no event");
        vm.assertEq(_votesOf(bob, alice), 490 ether, "votes are not slashed for nothing");
    }

    function test_slashOfNothing() public {
        vm.assertEq(_slash(alice, 0), 0, "taken");
        vm.assertEq(_slash(carol, 1 ether), 0, "a stranger");
        vm.assertEq(staking.undistributedWei(), 0, "pool");
    }

    function test_slashAfterLeaving() public {
        vm.prank(alice);
        staking.deregister();
        vm.assertEq(_slash(alice, 2_500 ether), 2_500 ether, "taken");
        vm.assertEq(staking.getNode(alice).thawingBondWei, 22_500 ether, "thawing bond");
        vm.assertEq(_votesOf(bob, alice), 495 ether, "votes of who stayed");
    }

    /// @dev Rounding never takes more of the bond than there is, and the sum is exact.
    function test_oddRatios() public {
        uint256 askedWei = 12_345 ether + 6_789;
        uint256 thawingWei = uint256(5_000 ether) * askedWei / MINER_BOND;
        vm.assertEq(_slash(alice, askedWei), askedWei, "taken");
        (uint256 bondWei, uint256 leftWei) = staking.bondOf(alice);
        vm.assertEq(leftWei, 5_000 ether - thawingWei, "thawing bond");
        vm.assertEq(bondWei, 20_000 ether - (askedWei - thawingWei), "bond");
    }

    /// @dev What was earned before the verdict is settled first: the owner's part is not bond, the voters' is votes then.
    function test_rewardsAreSettledFirst() public {
        vm.prank(alice);
        staking.setVoterShare(0);
        _fundStream(Role.Miner, STREAM);
        _stake(alice, 5_000 ether);
        vm.prank(alice);
        staking.bond(5_000 ether);
        _skip(1 hours);
        uint256 rewards = staking.rewardsOf(alice);
        vm.assertGe(rewards, 1, "rewards");
        _slashPart(alice, 1 ether);
        vm.assertEq(staking.rewardsOf(alice), rewards, "rewards");
        _skip(1 hours);
        vm.assertEq(staking.rewardsOf(alice), rewards, "no more of them");
        vm.prank(alice);
        vm.assertEq(staking.claim(alice), rewards, "claimed");
    }

    function test_slashReverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, address(this)));
        staking.slash(alice, 1, 0, 0, 1);
        vm.prank(address(payments));
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, address(payments)));
        staking.slash(alice, 1, 0, 0, 1);
        vm.prank(court);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ParameterInvalid.selector, "cutBps"));
        staking.slash(alice, 1, 0, 2_501, 1);
    }
}
