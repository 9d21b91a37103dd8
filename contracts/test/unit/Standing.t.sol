// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {IRewards} from "../../src/interfaces/IRewards.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract StandingTest is TestBase {
    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
    }

    function test_smokeRewards() public {
        _vote(bob, alice, 25_000 ether);
        _fundStream(Role.Miner, 7 days * 1 ether);
        _skip(1 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 43_200 ether, 20, "owner");
        vm.assertApproxEqAbs(_votesOf(bob, alice), 25_000 ether + 43_200 ether, 20, "voter");
        vm.prank(_operator(alice));
        uint256 claimed = staking.claim(alice);
        vm.assertEq(_free(alice), claimed, "free");
        vm.assertApproxEqAbs(claimed, 43_200 ether, 20, "claimed");
        _income(alice, 10 ether);
        vm.assertEq(staking.rewardsOf(alice), 5 ether, "income");
        _skip(12 hours);
        (uint256 waitingWei,) = staking.dripOf(alice);
        vm.assertEq(waitingWei, 2.5 ether, "drip");
    }

    function test_smokeSlash() public {
        _vote(bob, alice, 1_000 ether);
        vm.prank(alice);
        staking.unbond(5_000 ether);
        uint256 before = court.balance;
        vm.prank(court);
        (uint256 takenWei, uint256 paidWei) = staking.slash(alice, 2_500 ether, 100 ether, 2_500, 7);
        vm.assertEq(takenWei, 2_500 ether, "taken");
        vm.assertEq(paidWei, 700 ether, "paid");
        vm.assertEq(court.balance - before, paidWei, "court");
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(alice);
        vm.assertEq(bondWei, 18_000 ether, "bond");
        vm.assertEq(thawingWei, 4_500 ether, "thawing");
        vm.assertEq(_votesOf(bob, alice), 990 ether, "votes");
        vm.assertEq(staking.undistributedWei(), 1_810 ether, "pool");
    }

    function test_smokeFreezeClaimsSuspend() public {
        _register(carol, Role.Coordinator, COORDINATOR_BOND);
        vm.prank(alice);
        uint256 id = staking.unbond(10_000 ether);
        vm.prank(court);
        staking.freeze(alice, 20_000 ether, uint64(block.timestamp + 8 days));
        _skip(THAW);
        vm.assertEq(_withdraw(alice, id), 5_000 ether, "spare");
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ExitFrozen.selector, id, START + 8 days));
        staking.withdraw(_ids(id), MAX, payable(alice));
        _skip(1 days);
        vm.assertEq(_withdraw(alice, id), 5_000 ether, "rest");

        vm.startPrank(address(payments));
        (uint256 takenWei, uint128 shares, uint32 generation) = staking.claimBond(carol, 1_000 ether);
        vm.assertEq(takenWei, 1_000 ether, "taken");
        vm.assertEq(staking.payClaim(carol, shares / 2, generation, alice), 500 ether, "paid");
        vm.assertEq(staking.returnClaim(carol, shares / 2, generation), 500 ether, "returned");
        vm.assertEq(staking.penalise(carol, 7 ether), 7 ether, "penalty");
        vm.stopPrank();
        vm.prank(epochs);
        staking.suspend(carol);
        vm.assertFalse(staking.isActive(carol), "suspended");
        vm.assertEq(staking.totalWeight(Role.Coordinator), 0, "weight");
        vm.prank(epochs);
        staking.resume(carol);
        vm.assertEq(staking.totalWeight(Role.Coordinator), COORDINATOR_BOND - 507 ether, "weight again");
    }
}
