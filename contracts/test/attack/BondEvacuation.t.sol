// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPayments} from "../../src/interfaces/IPayments.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {IStaking, ThawKind} from "../../src/interfaces/IStaking.sol";
import {Network} from "../utils/Network.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A coordinator that pays its bond out to a miner of its own, to have it sooner than a thaw, out of a slash's reach,
/// or free of the penalty. A voucher is no better way out than `unbond`, and costs a tenth.
contract BondEvacuationAttack is Network {
    uint256 private constant HALF = COORDINATOR_BOND / 2;

    address private coordinator;
    address private own;

    function setUp() public override {
        super.setUp();
        coordinator = _registerCoordinator("coordinator");
        own = _registerMiner("own");
        _raise(coordinator, own, HALF);
    }

    function test_aVoucherToOneselfWaitsAThaw() public {
        (uint256 paidWei, uint256 claimedWei) = _redeem(coordinator, own, HALF);
        vm.assertEq(paidWei, 0, "nothing at once");
        vm.assertEq(claimedWei, HALF, "claimed");
        vm.assertEq(staking.rewardsOf(own), 0, "rewards");
        _skip(THAW - 1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimNotReleased.selector, 1, START + THAW));
        payments.collect(1);
        _skip(1);
        payments.collect(1);
        vm.assertApproxEqAbs(staking.rewardsOf(own), HALF, 1, "after a thaw");
        vm.assertEq(staking.undistributedWei(), HALF / 10 + (HALF - staking.rewardsOf(own)), "and a tenth is lost");
    }

    /// @dev Claims and the owner's own exits lose in the ratio of the bond.
    function test_aSlashReachesTheClaim() public {
        _redeem(coordinator, own, HALF);
        _unbond(coordinator, HALF / 2);
        vm.assertEq(payments.getClaim(1).worthWei, HALF, "worth");
        _slash(coordinator, COORDINATOR_BOND / 2);
        vm.assertApproxEqAbs(payments.getClaim(1).worthWei, HALF / 2, 1, "half of it");
        (uint256 bondWei, uint256 thawingWei) = staking.bondOf(coordinator);
        vm.assertApproxEqAbs(bondWei, HALF / 4, 1, "bond");
        vm.assertApproxEqAbs(thawingWei, HALF / 2 + HALF / 4, 1, "thawing");
        _skip(THAW);
        payments.collect(1);
        vm.assertApproxEqAbs(staking.rewardsOf(own), HALF / 2, 1, "rewards");
    }

    function test_votesAreNeverTouched() public {
        address voter = _account("voter");
        _vote(voter, coordinator, 1_000_000 ether);
        _slash(coordinator, COORDINATOR_BOND / 4);
        (, uint256 votesWei) = staking.votesOf(voter, coordinator);
        _redeem(coordinator, own, HALF);
        _skip(THAW);
        payments.collect(1);
        (, uint256 after_) = staking.votesOf(voter, coordinator);
        vm.assertEq(after_, votesWei, "votes");
    }

    function test_theBondUnderLinesDoesNotLeave() public {
        vm.expectRevert(
            abi.encodeWithSelector(IStakingHooks.BondCommitted.selector, COORDINATOR_BOND - 1, COORDINATOR_BOND)
        );
        _unbond(coordinator, 1);
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.BondCommitted.selector, 0, COORDINATOR_BOND));
        vm.prank(coordinator);
        staking.deregister();
    }

    /// @dev The tenth of an open claim stays until it is paid, and the coordinator registered.
    function test_thePenaltyDoesNotEscape() public {
        _redeem(coordinator, own, HALF);
        uint256 requiredWei = HALF / 10 + 1;
        vm.assertEq(payments.requiredBondWei(coordinator), requiredWei, "required");
        _unbond(coordinator, HALF - requiredWei);
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.BondCommitted.selector, requiredWei - 1, requiredWei));
        _unbond(coordinator, 1);
        _skip(THAW);
        payments.collect(1);
        vm.assertGe(staking.undistributedWei(), HALF / 10, "penalty");
        vm.assertEq(payments.requiredBondWei(coordinator), 0, "nothing is held any more");
        vm.prank(coordinator);
        staking.deregister();
    }

    /// @dev Nor by covering late, when nobody has asked for it.
    function test_coveringLateDoesNotSaveIt() public {
        _redeem(coordinator, own, HALF);
        _deposit(coordinator, HALF);
        _skip(TOP_UP);
        payments.cover(_list(1));
        vm.assertGe(staking.undistributedWei(), HALF / 10, "penalty");
        vm.assertApproxEqAbs(_bond(coordinator), COORDINATOR_BOND - HALF / 10, 1, "bond");
    }

    /// @dev Bond comes back by `cover` only for as much escrow as leaves, and it goes the way of all bond.
    function test_coverIsNoWayOut() public {
        _redeem(coordinator, own, HALF);
        _deposit(coordinator, HALF);
        payments.cover(_list(1));
        vm.assertEq(staking.rewardsOf(own), HALF, "paid from escrow");
        vm.assertApproxEqAbs(_bond(coordinator), COORDINATOR_BOND, 1, "the bond is back");
        vm.prank(coordinator);
        staking.deregister();
        uint256[] memory ids = _list(staking.thawId(coordinator, ThawKind.Bond, START + THAW));
        vm.expectRevert(abi.encodeWithSelector(IStaking.ThawNotReleased.selector, ids[0], START + THAW));
        vm.prank(coordinator);
        staking.withdraw(ids, 0, payable(coordinator));
    }

    /// @dev What a slash has emptied pays nothing, and blocks nothing.
    function test_anEmptiedQueuePaysNothing() public {
        _redeem(coordinator, own, HALF);
        _slash(coordinator, COORDINATOR_BOND);
        _skip(THAW);
        vm.assertEq(payments.collect(1), 0, "collected");
        vm.assertEq(payments.requiredBondWei(coordinator), 0, "required");
        vm.prank(coordinator);
        staking.deregister();
    }

    /// @dev Lines that rest on the bond beyond half of it cannot be: the rest is what a slash may take.
    function test_neverMoreThanHalfAtOnce() public {
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, HALF, HALF + 1));
        _raise(coordinator, own, 1);
        _redeem(coordinator, own, HALF);
        // Half of what is left, less the reserve.
        uint256 next = (HALF - HALF / 10 - 1) / 2;
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, next, next + 1));
        _raise(coordinator, own, next + 1);
    }
}
