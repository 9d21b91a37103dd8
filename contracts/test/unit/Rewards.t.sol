// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRewards} from "../../src/interfaces/IRewards.sol";
import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract RewardsTest is TestBase {
    /// @dev What an index of 2^-72 carries on to its next settlement, with the weights of these tests.
    uint256 private constant CARRY = 50;
    uint256 private constant RATE = 1 ether;
    uint256 private constant WHOLE = PERIOD * RATE;

    // ---- fund ----

    function test_fundBeginsAPeriodNow() public {
        _registerMiner(alice);
        _fund(bob, WHOLE + 7);
        vm.expectEmit(address(staking));
        emit IRewards.Funded(Role.Miner, bob, WHOLE + 7);
        vm.expectEmit(address(staking));
        emit IRewards.PeriodStarted(Role.Miner, RATE, START + PERIOD);
        vm.prank(bob);
        staking.fund{value: WHOLE + 7}(Role.Miner);
        IRewards.StreamView memory stream = staking.getStream(Role.Miner);
        vm.assertEq(stream.rateWei, RATE, "rate");
        vm.assertEq(uint256(stream.endsAt), START + PERIOD, "end");
        vm.assertEq(stream.nextWei, 7, "what does not divide waits");
        vm.assertEq(stream.weightWei, MINER_BOND, "weight");
    }

    function test_fundReverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.RoleInvalid.selector, 0));
        staking.fund{value: 1}(Role.None);
        vm.expectRevert(IStaking.AmountZero.selector);
        staking.fund(Role.Miner);
    }

    function test_fundOfLessThanAWeiASecondWaits() public {
        _registerMiner(alice);
        _fundStream(Role.Miner, PERIOD - 1);
        vm.assertEq(staking.getStream(Role.Miner).rateWei, 0, "rate");
        _skip(PERIOD);
        _fundStream(Role.Miner, 1);
        IRewards.StreamView memory stream = staking.getStream(Role.Miner);
        vm.assertEq(stream.rateWei, 1, "rate");
        vm.assertEq(stream.nextWei, 0, "next");
        vm.assertEq(uint256(stream.endsAt), START + 2 * PERIOD, "from now");
    }

    /// @dev What waited begins at the old period's end, whenever somebody comes to see it.
    function test_theNextPeriodBeginsAtTheEndOfTheLast() public {
        _registerMiner(alice);
        _fundStream(Role.Miner, WHOLE);
        _skip(PERIOD / 2);
        _fundStream(Role.Miner, 2 * WHOLE);
        vm.assertEq(staking.getStream(Role.Miner).rateWei, RATE, "the present rate");
        _skip(PERIOD);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), WHOLE + WHOLE, CARRY, "one whole period and half of the next");
        vm.expectEmit(address(staking));
        emit IRewards.PeriodStarted(Role.Miner, 2 * RATE, START + 2 * PERIOD);
        staking.settle(alice);
        vm.assertEq(uint256(staking.getStream(Role.Miner).endsAt), START + 2 * PERIOD, "end");
        _skip(PERIOD);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 3 * WHOLE, 2 * CARRY, "all");
        vm.assertEq(staking.getStream(Role.Miner).rateWei, 0, "none runs");
    }

    /// @dev Two periods pass between two settlements.
    function test_twoPeriodsAtOnce() public {
        _registerMiner(alice);
        _fundStream(Role.Miner, WHOLE);
        _fundStream(Role.Miner, WHOLE + 1);
        _skip(10 * PERIOD);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 2 * WHOLE, CARRY, "both");
        staking.settle(alice);
        IRewards.StreamView memory stream = staking.getStream(Role.Miner);
        vm.assertEq(stream.rateWei, 0, "rate");
        vm.assertEq(stream.nextWei, 1, "next");
        _skip(PERIOD);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 2 * WHOLE, CARRY, "no more");
    }

    function test_theClockStandsWithoutWeight() public {
        _fundStream(Role.Miner, WHOLE);
        _skip(3 days);
        vm.assertEq(uint256(staking.getStream(Role.Miner).endsAt), START + 3 days + PERIOD, "the end moves");
        _registerMiner(alice);
        _skip(1 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 1 days * RATE, CARRY, "a day");
        vm.prank(alice);
        staking.rest(alice);
        _skip(30 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 1 days * RATE, CARRY, "nothing while nobody is active");
        vm.prank(alice);
        staking.rejoin(alice);
        _skip(PERIOD);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), WHOLE, 2 * CARRY, "all of it at last");
    }

    function test_rolesHaveStreamsOfTheirOwn() public {
        _registerMiner(alice);
        _register(bob, Role.Coordinator, COORDINATOR_BOND);
        _fundStream(Role.Coordinator, WHOLE);
        _skip(PERIOD);
        vm.assertEq(staking.rewardsOf(alice), 0, "miner");
        vm.assertApproxEqAbs(staking.rewardsOf(bob), WHOLE, 1_000, "coordinator");
    }

    function test_weightsShareTheStream() public {
        _register(alice, Role.Miner, MINER_BOND, 0);
        _register(bob, Role.Miner, 3 * MINER_BOND, 0);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 1 days * RATE / 4, CARRY, "a quarter");
        vm.assertApproxEqAbs(staking.rewardsOf(bob), 1 days * RATE * 3 / 4, CARRY, "three quarters");
    }

    // ---- the pool ----

    function test_fundPoolAndPour() public {
        _registerMiner(alice);
        _fund(bob, 2 * WHOLE + 1);
        vm.expectEmit(address(staking));
        emit IRewards.PoolFunded(bob, 2 * WHOLE + 1);
        vm.prank(bob);
        staking.fundPool{value: 2 * WHOLE + 1}();
        vm.assertEq(staking.undistributedWei(), 2 * WHOLE + 1, "pool");
        vm.expectEmit(address(staking));
        emit IRewards.Poured(WHOLE + 1, WHOLE);
        staking.pour();
        vm.assertEq(staking.undistributedWei(), 0, "poured");
        vm.assertEq(staking.getStream(Role.Miner).rateWei, RATE, "miners");
        vm.assertEq(staking.getStream(Role.Miner).nextWei, 1, "the odd wei");
        vm.assertEq(staking.getStream(Role.Coordinator).rateWei, RATE, "coordinators");
    }

    function test_pourOfNothing() public {
        staking.pour();
        vm.assertEq(staking.getStream(Role.Miner).rateWei, 0, "rate");
    }

    /// @dev While a period runs, what is poured waits.
    function test_pourWaitsForTheNextPeriod() public {
        _registerMiner(alice);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        _fund(address(this), 2 * WHOLE);
        staking.fundPool{value: 2 * WHOLE}();
        staking.pour();
        IRewards.StreamView memory stream = staking.getStream(Role.Miner);
        vm.assertEq(stream.rateWei, RATE, "rate");
        vm.assertEq(uint256(stream.endsAt), START + PERIOD, "end");
        vm.assertEq(stream.nextWei, WHOLE, "next");
    }

    // ---- the voters' part ----

    function test_votersAndOwnerSplitByTheShare() public {
        _register(alice, Role.Miner, MINER_BOND, 2_500);
        _vote(bob, alice, 30_000 ether);
        _vote(carol, alice, 10_000 ether);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        uint256 earnedWei = 1 days * RATE;
        vm.assertApproxEqAbs(staking.rewardsOf(alice), earnedWei * 3 / 4, CARRY, "owner");
        vm.assertApproxEqAbs(_votesOf(bob, alice), 30_000 ether + earnedWei * 3 / 16, CARRY, "three quarters of votes");
        vm.assertApproxEqAbs(_votesOf(carol, alice), 10_000 ether + earnedWei / 16, CARRY, "a quarter of votes");
        IStaking.NodeView memory node = staking.getNode(alice);
        vm.assertEq(node.weightWei, MINER_BOND + 40_000 ether, "weight as of the last settlement");
        vm.assertEq(node.rewardsWei, staking.rewardsOf(alice), "rewards");
        staking.settle(alice);
        vm.assertEq(staking.getNode(alice).votesWei, node.votesWei, "the view showed what the settlement leaves");
        vm.assertEq(staking.weightOf(alice), MINER_BOND + node.votesWei, "the weight follows");
        vm.assertEq(staking.totalWeight(Role.Miner), MINER_BOND + node.votesWei, "and the total");
    }

    function test_withoutVotersAllIsTheOwners() public {
        _register(alice, Role.Miner, MINER_BOND, 10_000);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 1 days * RATE, CARRY, "owner");
    }

    function test_settleTellsWhatItMoved() public {
        _register(alice, Role.Miner, MINER_BOND, 5_000);
        _vote(bob, alice, 25_000 ether);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        uint256 ownerWei = staking.rewardsOf(alice);
        uint256 votersWei = staking.getNode(alice).votesWei - 25_000 ether;
        vm.expectEmit(address(staking));
        emit IRewards.RewardsSettled(alice, ownerWei, votersWei);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(
            alice, Role.Miner, true, MINER_BOND, 25_000 ether + votersWei, MINER_BOND + 25_000 ether + votersWei
        );
        vm.prank(dave);
        staking.settle(alice);
        vm.recordLogs();
        staking.settle(alice);
        vm.assertEq(vm.getRecordedLogs().length, 0, "nothing moved");
    }

    // ---- claim ----

    function test_claimByOwnerAndOperator() public {
        _registerMiner(alice);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        uint256 rewards = staking.rewardsOf(alice);
        vm.expectEmit(address(staking));
        emit IRewards.Claimed(alice, rewards);
        vm.prank(alice);
        vm.assertEq(staking.claim(alice), rewards, "claimed");
        vm.assertEq(_free(alice), rewards, "free");
        vm.assertEq(staking.rewardsOf(alice), 0, "nothing twice");
        _skip(1 days);
        vm.prank(_operator(alice));
        uint256 more = staking.claim(alice);
        vm.assertEq(_free(alice), rewards + more, "to the owner, whoever asks");
        vm.assertEq(_free(_operator(alice)), 0, "not to the operator");
    }

    function test_claimByAStranger() public {
        _registerMiner(alice);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotActing.selector, bob, alice));
        staking.claim(alice);
    }

    function test_claimAfterLeaving() public {
        _registerMiner(alice);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        vm.startPrank(alice);
        staking.deregister();
        _skip(1 days);
        vm.assertApproxEqAbs(staking.claim(alice), 1 days * RATE, CARRY, "what it earned while registered");
        vm.stopPrank();
        address operator = _operator(alice);
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotActing.selector, operator, alice));
        staking.claim(alice);
    }

    // ---- task income ----

    function test_creditIncome() public {
        _register(alice, Role.Miner, MINER_BOND, 4_000);
        _vote(bob, alice, 100 ether);
        vm.expectEmit(address(staking));
        emit IRewards.IncomeCredited(alice, 6 ether, 4 ether);
        _income(alice, 10 ether);
        vm.assertEq(staking.rewardsOf(alice), 6 ether, "owner");
        (uint256 waitingWei, uint64 endsAt) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 4 ether, "waiting");
        vm.assertEq(uint256(endsAt), START + DRIP, "end");
        vm.assertEq(_votesOf(bob, alice), 100 ether, "not yet");
        _skip(DRIP / 4);
        vm.assertApproxEqAbs(_votesOf(bob, alice), 101 ether, 1, "a quarter");
        (waitingWei,) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 3 ether, "three quarters");
        staking.settle(alice);
        (waitingWei,) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 3 ether, "a settlement changes nothing of it");
        _skip(DRIP);
        vm.assertApproxEqAbs(_votesOf(bob, alice), 104 ether, 1, "all");
        staking.settle(alice);
        (waitingWei,) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 0, "nothing waits");
    }

    function test_aNewLumpRestartsTheDripOfWhatIsLeft() public {
        _register(alice, Role.Miner, MINER_BOND, 10_000);
        _vote(bob, alice, 100 ether);
        _income(alice, 4 ether);
        _skip(DRIP / 2);
        _income(alice, 6 ether);
        (uint256 waitingWei, uint64 endsAt) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 8 ether, "what is left and what is new");
        vm.assertEq(uint256(endsAt), START + DRIP / 2 + DRIP, "end");
        vm.assertApproxEqAbs(_votesOf(bob, alice), 102 ether, 1, "what has flowed");
        _skip(DRIP / 2);
        vm.assertApproxEqAbs(_votesOf(bob, alice), 106 ether, 1, "half of the rest");
    }

    function test_incomeWithoutVotersIsTheOwners() public {
        _register(alice, Role.Miner, MINER_BOND, 10_000);
        _income(alice, 5 ether);
        vm.assertEq(staking.rewardsOf(alice), 5 ether, "owner");
    }

    /// @dev When the last voter has gone, what still drips is the owner's.
    function test_whatDripsAfterTheLastVoterIsTheOwners() public {
        _register(alice, Role.Miner, MINER_BOND, 10_000);
        _vote(bob, alice, 100 ether);
        _income(alice, 4 ether);
        _skip(DRIP / 4);
        _unvoteAll(bob, alice);
        _skip(DRIP);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 3 ether, 1, "the rest");
        vm.prank(alice);
        staking.claim(alice);
        vm.assertEq(staking.getNode(alice).votesWei, 0, "an empty pool stays empty");
    }

    function test_incomeOfNothing() public {
        _registerMiner(alice);
        _income(alice, 0);
        vm.assertEq(staking.rewardsOf(alice), 0, "owner");
    }

    function test_onlyPaymentsCreditsIncome() public {
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, address(this)));
        staking.creditIncome{value: 0}(alice);
    }

    /// @dev Everything fits 96 bits, or does not come in.
    function test_noMoreThan96BitsComeIn() public {
        _fund(dave, type(uint96).max);
        _stake(dave, type(uint96).max);
        bytes memory tooMuch =
            abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 96, uint256(type(uint96).max) + 1);
        vm.expectRevert(tooMuch);
        staking.fund{value: 1}(Role.Miner);
        vm.expectRevert(tooMuch);
        staking.fundPool{value: 1}();
        _fund(address(payments), 1);
        vm.prank(address(payments));
        vm.expectRevert(tooMuch);
        staking.creditIncome{value: 1}(alice);
    }

    // ---- the voter share ----

    /// @dev A drop that is due splits only what is earned after the settlement that finds it due.
    function test_aDropTakesEffectWithASettlement() public {
        _register(alice, Role.Miner, MINER_BOND, 10_000);
        _vote(bob, alice, 25_000 ether);
        _fundStream(Role.Miner, 4 * WHOLE);
        vm.prank(alice);
        staking.setVoterShare(0);
        _skip(THAW);
        uint256 votesWei = _votesOf(bob, alice);
        vm.assertApproxEqAbs(votesWei, 25_000 ether + 4 * THAW * RATE, 4 * CARRY, "all of it the voters'");
        _income(alice, 10 ether);
        (uint256 waitingWei,) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 10 ether, "before a settlement, income too");
        staking.settle(alice);
        _income(alice, 10 ether);
        vm.assertEq(staking.rewardsOf(alice), 10 ether, "after it, the owner's");
    }

    function test_aRiseSplitsOnlyWhatComes() public {
        _register(alice, Role.Miner, MINER_BOND, 0);
        _vote(bob, alice, 25_000 ether);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        vm.prank(alice);
        staking.setVoterShare(10_000);
        _skip(1 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 1 days * RATE, CARRY, "the first day");
        vm.assertApproxEqAbs(_votesOf(bob, alice), 25_000 ether + 1 days * RATE, CARRY, "the second");
    }

    // ---- exactness ----

    /// @dev All that was funded is claimed or claimable, but for the dust that IRewards names.
    function testFuzz_nothingIsLostButDust(uint256[8] calldata seeds) public {
        _register(alice, Role.Miner, MINER_BOND + seeds[0] % 1e23, 3_333);
        _register(bob, Role.Miner, MINER_BOND + seeds[1] % 1e23, 5_000);
        _vote(carol, alice, 1 ether + seeds[2] % 1e23);
        uint256 givenWei = address(staking).balance;
        _fundStream(Role.Miner, PERIOD + seeds[3] % 1e22);
        for (uint256 i = 0; i < seeds.length; ++i) {
            _skip(1 + seeds[i] % (PERIOD / 2));
            if (seeds[i] % 3 == 0) _vote(dave, seeds[i] % 2 == 0 ? alice : bob, 1 ether + seeds[i] % 1e22);
            else if (seeds[i] % 3 == 1) _income(alice, seeds[i] % 1e20);
            else staking.settle(bob);
        }
        _skip(PERIOD);
        IRewards.StreamView memory stream = staking.getStream(Role.Miner);
        vm.assertEq(stream.rateWei, 0, "over");
        IStaking.NodeView memory first = staking.getNode(alice);
        IStaking.NodeView memory second = staking.getNode(bob);
        uint256 sum = first.bondWei + first.votesWei + first.rewardsWei + second.bondWei + second.votesWei
            + second.rewardsWei + stream.nextWei;
        vm.assertLe(sum, address(staking).balance, "more than there is");
        vm.assertLe(address(staking).balance - sum, 20 + staking.carriedWei(Role.Miner), "lost");
        vm.assertGe(address(staking).balance, givenWei, "held");
    }
}
