// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPayments} from "../../src/interfaces/IPayments.sol";
import {PaymentsBase} from "../utils/PaymentsBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Claims on the bond: covered, penalised, collected.
contract PaymentsClaimsTest is PaymentsBase {
    function test_aClaimShowsWhatItIsWorth() public {
        uint256 id = _openClaim(miner, 20 ether);
        _slash(50 ether);
        IPayments.ClaimView memory claim = payments.getClaim(id);
        vm.assertEq(claim.coordinator, coordinator, "coordinator");
        vm.assertEq(claim.miner, miner, "miner");
        vm.assertEq(claim.amountWei, 20 ether, "amount");
        vm.assertEq(claim.worthWei, 10 ether, "worth");
        vm.assertEq(claim.coverUntil, START + TOP_UP, "cover until");
        vm.assertEq(claim.releaseAt, START + THAW, "release");
        vm.assertFalse(claim.penalised, "penalised");
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimUnknown.selector, 2));
        payments.getClaim(2);
    }

    function test_coverPaysAtOnceAndReturnsTheBond() public {
        uint256 id = _openClaim(miner, 20 ether);
        _deposit(20 ether);
        vm.expectEmit(address(payments));
        emit IPayments.ClaimCovered(id, 20 ether, 20 ether);
        vm.prank(stranger);
        _cover(id);
        vm.assertEq(_income(miner), 20 ether, "income");
        vm.assertEq(_bond(), BOND, "bond");
        vm.assertEq(_escrow(), 0, "escrow");
        vm.assertEq(payments.requiredBondWei(coordinator), 0, "required");
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimUnknown.selector, id));
        _cover(id);
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimUnknown.selector, id));
        payments.collect(id);
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimUnknown.selector, id));
        payments.penalise(id);
    }

    function test_coverNeedsTheEscrow() public {
        uint256 id = _openClaim(miner, 20 ether);
        _deposit(20 ether - 1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.EscrowTooLow.selector, 20 ether - 1, 20 ether));
        _cover(id);
    }

    function test_coverSeveral() public {
        uint256[] memory ids = new uint256[](2);
        ids[0] = _openClaim(miner, 10 ether);
        ids[1] = _openClaim(other, 20 ether);
        _deposit(30 ether);
        payments.cover(ids);
        vm.assertEq(_income(miner), 10 ether, "miner");
        vm.assertEq(_income(other), 20 ether, "other");
        vm.assertEq(payments.getCoordinator(coordinator).claimsWei, 0, "claims");
    }

    function test_coverPaysInFullAfterASlash() public {
        uint256 id = _openClaim(miner, 20 ether);
        _slash(50 ether);
        _deposit(20 ether);
        _cover(id);
        vm.assertEq(_income(miner), 20 ether, "income");
        vm.assertEq(_bond(), 50 ether, "bond: 40 and 10 of the claim");
    }

    function test_penaltyIsATenthOnce() public {
        uint256 id = _openClaim(miner, 20 ether);
        _skip(TOP_UP - 1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimNotDue.selector, id, START + TOP_UP));
        payments.penalise(id);
        _skip(1);
        vm.expectEmit(address(payments));
        emit IPayments.ClaimPenalised(id, 2 ether);
        vm.prank(stranger);
        payments.penalise(id);
        vm.assertEq(_bond(), 78 ether, "bond");
        vm.assertEq(staking.poolWei(), 2 ether, "pool");
        vm.assertTrue(payments.getClaim(id).penalised, "penalised");
        vm.assertEq(payments.requiredBondWei(coordinator), 1, "required");
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimNotDue.selector, id, START + TOP_UP));
        payments.penalise(id);
        _skip(THAW - TOP_UP);
        payments.collect(id);
        vm.assertEq(_bond(), 78 ether, "not again");
        vm.assertEq(payments.requiredBondWei(coordinator), 0, "required afterwards");
    }

    function test_coveringLatePaysThePenaltyUnasked() public {
        uint256 id = _openClaim(miner, 20 ether);
        _deposit(20 ether);
        _skip(TOP_UP);
        vm.expectEmit(address(payments));
        emit IPayments.ClaimPenalised(id, 2 ether);
        _cover(id);
        vm.assertEq(_bond(), 98 ether, "bond");
        vm.assertEq(payments.requiredBondWei(coordinator), 0, "required");
    }

    function test_coveringAfterThePenaltyPaysItOnce() public {
        uint256 id = _openClaim(miner, 20 ether);
        _skip(TOP_UP);
        payments.penalise(id);
        _deposit(20 ether);
        _cover(id);
        vm.assertEq(_bond(), 98 ether, "bond");
    }

    function test_collectPaysOneThawAfter() public {
        uint256 id = _openClaim(miner, 20 ether);
        _skip(THAW - 1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimNotReleased.selector, id, START + THAW));
        payments.collect(id);
        _skip(1);
        vm.expectEmit(address(payments));
        emit IPayments.ClaimPenalised(id, 2 ether);
        vm.expectEmit(address(payments));
        emit IPayments.ClaimCollected(id, 20 ether);
        vm.prank(stranger);
        vm.assertEq(payments.collect(id), 20 ether, "collected");
        vm.assertEq(_income(miner), 20 ether, "income");
        vm.assertEq(_bond(), 78 ether, "bond");
        vm.assertEq(payments.requiredBondWei(coordinator), 0, "required");
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimUnknown.selector, id));
        payments.collect(id);
    }

    function test_collectOfAnEmptiedQueueEndsTheClaim() public {
        uint256 id = _openClaim(miner, 20 ether);
        _slash(BOND);
        vm.assertEq(payments.getClaim(id).worthWei, 0, "worth");
        _skip(THAW);
        vm.assertEq(payments.collect(id), 0, "collected");
        vm.assertEq(payments.requiredBondWei(coordinator), 0, "required");
    }

    function test_reserveIsWholeAgainAfterAPenalisedClaim() public {
        uint256 covered = _openClaim(miner, 20 ether);
        uint256 collected = _openClaim(miner, 10 ether);
        _skip(TOP_UP);
        payments.penalise(covered);
        _deposit(20 ether);
        _cover(covered);
        _skip(THAW);
        payments.collect(collected);
        _openClaim(miner, 10 ether);
        vm.assertEq(payments.requiredBondWei(coordinator), 1 ether + 1, "required");
    }

    function test_reserveGrowsWithEachClaim() public {
        _openClaim(miner, 15);
        vm.assertEq(payments.requiredBondWei(coordinator), 1 + 1, "15");
        _openClaim(other, 15);
        vm.assertEq(payments.requiredBondWei(coordinator), 3 + 1, "30");
        _skip(TOP_UP);
        payments.penalise(1);
        vm.assertEq(payments.requiredBondWei(coordinator), 1 + 1, "15 left");
    }
}
