// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice What Payments may do to a coordinator's bond.
contract ClaimsTest is TestBase {
    function setUp() public override {
        super.setUp();
        _register(alice, Role.Coordinator, COORDINATOR_BOND);
        _registerMiner(bob);
    }

    function _claim(uint256 amountWei) private returns (uint256 takenWei, uint128 shares, uint32 generation) {
        vm.prank(address(payments));
        return staking.claimBond(alice, amountWei);
    }

    function test_claimBond() public {
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(
            alice, Role.Coordinator, true, COORDINATOR_BOND - 10 ether, 0, COORDINATOR_BOND - 10 ether
        );
        vm.expectEmit(address(staking));
        emit IStakingHooks.BondClaimed(alice, 10 ether, 10 ether * VIRTUAL_SHARES, 0);
        (uint256 takenWei, uint128 shares, uint32 generation) = _claim(10 ether);
        vm.assertEq(takenWei, 10 ether, "taken");
        vm.assertEq(staking.claimWorth(alice, shares, generation), 10 ether, "worth");
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(alice);
        vm.assertEq(bondWei, COORDINATOR_BOND - 10 ether, "bond");
        vm.assertEq(thawingWei, 10 ether, "thawing");
    }

    function test_claimOfMoreThanTheBond() public {
        (uint256 takenWei,,) = _claim(MAX);
        vm.assertEq(takenWei, COORDINATOR_BOND, "all");
        vm.assertFalse(staking.isActive(alice), "active");
        (takenWei,,) = _claim(1);
        vm.assertEq(takenWei, 0, "no more");
    }

    /// @dev The owner's own exits and the claims lie in one queue, and lose in one ratio.
    function test_claimsAreBehindASlashLikeExits() public {
        vm.prank(alice);
        uint256 id = staking.unbond(1_000 ether);
        (, uint128 shares, uint32 generation) = _claim(1_000 ether);
        _slashPart(alice, 0.1 ether);
        vm.assertEq(staking.claimWorth(alice, shares, generation), 900 ether, "claim");
        vm.assertEq(_thaw(alice, id).amountWei, 900 ether, "exit");
    }

    function test_payClaim() public {
        (, uint128 shares, uint32 generation) = _claim(10 ether);
        vm.expectEmit(address(staking));
        emit IStakingHooks.BondClaimPaid(alice, bob, shares, 10 ether);
        vm.prank(address(payments));
        vm.assertEq(staking.payClaim(alice, shares, generation, bob), 10 ether, "paid");
        vm.assertEq(staking.rewardsOf(bob), 10 ether, "the miner's income");
        (, uint256 thawingWei) = staking.bondOf(alice);
        vm.assertEq(thawingWei, 0, "thawing");
    }

    /// @dev The miner's voters have their part of it, over the drip.
    function test_aPaidClaimIsIncomeLikeAny() public {
        _vote(carol, bob, 100 ether);
        (, uint128 shares, uint32 generation) = _claim(10 ether);
        vm.prank(address(payments));
        staking.payClaim(alice, shares, generation, bob);
        vm.assertEq(staking.rewardsOf(bob), 5 ether, "owner");
        (uint256 waitingWei,) = staking.dripOf(bob);
        vm.assertEq(waitingWei, 5 ether, "voters");
    }

    function test_returnClaim() public {
        (, uint128 shares, uint32 generation) = _claim(COORDINATOR_BOND);
        vm.assertEq(staking.totalWeight(Role.Coordinator), 0, "weight");
        vm.expectEmit(address(staking));
        emit IStakingHooks.BondClaimReturned(alice, shares, COORDINATOR_BOND);
        vm.prank(address(payments));
        vm.assertEq(staking.returnClaim(alice, shares, generation), COORDINATOR_BOND, "returned");
        vm.assertEq(staking.totalWeight(Role.Coordinator), COORDINATOR_BOND, "weight again");
    }

    function test_deadClaims() public {
        (, uint128 shares, uint32 generation) = _claim(10 ether);
        _slashPart(alice, 1 ether);
        vm.assertEq(staking.claimWorth(alice, shares, generation), 0, "worth");
        vm.startPrank(address(payments));
        vm.assertEq(staking.payClaim(alice, shares, generation, bob), 0, "paid");
        vm.assertEq(staking.returnClaim(alice, shares, generation), 0, "returned");
        vm.stopPrank();
        vm.assertEq(staking.rewardsOf(bob), 0, "income");
    }

    /// @dev Dust of the last claim goes to the pool: the queue is left empty.
    function test_theLastClaimSweepsTheDust() public {
        (, uint128 first, uint32 generation) = _claim(10 ether + 1);
        (, uint128 second,) = _claim(7 ether + 3);
        _slashPart(alice, 0.123456789 ether);
        uint256 pool = staking.undistributedWei();
        vm.startPrank(address(payments));
        uint256 paidWei = staking.payClaim(alice, first, generation, bob);
        uint256 returnedWei = staking.returnClaim(alice, second, generation);
        vm.stopPrank();
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(alice);
        vm.assertEq(thawingWei, 0, "thawing");
        vm.assertLe(staking.undistributedWei() - pool, 2, "dust");
        vm.assertEq(
            address(staking).balance,
            bondWei + MINER_BOND + paidWei + staking.undistributedWei(),
            "every wei has a place"
        );
        vm.assertGe(returnedWei, 6 ether, "returned");
    }

    function test_penalise() public {
        vm.expectEmit(address(staking));
        emit IStakingHooks.Penalised(alice, 3 ether);
        vm.startPrank(address(payments));
        vm.assertEq(staking.penalise(alice, 3 ether), 3 ether, "taken");
        vm.assertEq(staking.undistributedWei(), 3 ether, "pool");
        vm.assertEq(staking.penalise(alice, MAX), COORDINATOR_BOND - 3 ether, "at most the bond");
        vm.stopPrank();
        vm.assertFalse(staking.isActive(alice), "active");
    }

    // ---- the bond that lines need ----

    function test_unbondKeepsWhatIsCommitted() public {
        payments.require_(alice, 1_000_000 ether);
        vm.startPrank(alice);
        vm.expectRevert(
            abi.encodeWithSelector(IStakingHooks.BondCommitted.selector, 1_000_000 ether - 1, 1_000_000 ether)
        );
        staking.unbond(1_500_000 ether + 1);
        staking.unbond(1_500_000 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.BondCommitted.selector, 0, 1_000_000 ether));
        staking.deregister();
        vm.stopPrank();
        payments.require_(alice, 0);
        vm.prank(alice);
        staking.deregister();
    }

    function test_minersAreNotAsked() public {
        payments.require_(bob, MAX);
        vm.startPrank(bob);
        staking.unbond(1 ether);
        staking.deregister();
        vm.stopPrank();
    }

    function test_onlyPayments() public {
        bytes memory invalid = abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, court);
        vm.startPrank(court);
        vm.expectRevert(invalid);
        staking.claimBond(alice, 1);
        vm.expectRevert(invalid);
        staking.payClaim(alice, 1, 0, bob);
        vm.expectRevert(invalid);
        staking.returnClaim(alice, 1, 0);
        vm.expectRevert(invalid);
        staking.penalise(alice, 1);
        vm.expectRevert(invalid);
        staking.creditIncome(alice);
        vm.stopPrank();
    }
}
