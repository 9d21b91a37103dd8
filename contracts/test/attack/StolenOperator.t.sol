// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPayments} from "../../src/interfaces/IPayments.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {Voucher} from "../../src/libraries/Signed.sol";
import {PaymentsBase} from "../utils/PaymentsBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice What a thief can do to a coordinator with its hot key alone: nothing to the bond beyond lines that the owner
/// has opened.
contract StolenOperatorAttack is PaymentsBase {
    function test_theBondIsNotCommitted() public {
        _deposit(10 ether);
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, 10 ether, 10 ether + 1));
        _raise(operator, other, 10 ether + 1);
        _raise(operator, other, 10 ether);
        (uint256 paidWei, uint256 claimedWei) = _redeem(other, 1_000 ether);
        vm.assertEq(paidWei, 10 ether, "escrow");
        vm.assertEq(claimedWei, 0, "bond");
        vm.assertEq(_bond(), BOND, "the bond is whole");
    }

    /// @dev Where lines already rest on the bond, the operator opens none, and withdraws no notice.
    function test_linesOnTheBondAreTheOwners() public {
        _raise(other, 20 ether);
        _notice(other, 0);
        _deposit(10 ether);
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, 10 ether, 20 ether + 1));
        _raise(operator, miner, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, 10 ether, 20 ether));
        _raise(operator, other, 0);
    }

    /// @dev It could start a notice's wait anew; replaced, it cannot.
    function test_aReplacedOperatorIsPowerless() public {
        _raise(other, 20 ether);
        staking.rotate(operator, vm.addr(_key("next operator")));
        _notice(other, 0);
        vm.expectRevert(abi.encodeWithSelector(IPayments.NotActing.selector, operator, coordinator));
        vm.prank(operator);
        payments.noticeLine(coordinator, other, 20 ether);
        vm.expectRevert(abi.encodeWithSelector(IPayments.NotActing.selector, operator, coordinator));
        _raise(operator, other, 0);
        // Nor does what it signs after the rotation count.
        _skip(1);
        Voucher memory late = _voucher(other, 20 ether);
        bytes memory signature = _sign(_key("operator"), late);
        vm.expectRevert(abi.encodeWithSelector(IPayments.SignatureInvalid.selector, operator, coordinator));
        payments.redeem(_list(late), _list(signature));
    }

    function test_escrowIsNotTheOperators() public {
        _deposit(10 ether);
        vm.expectRevert(abi.encodeWithSelector(IPayments.EscrowTooLow.selector, 0, 10 ether));
        vm.prank(operator);
        payments.requestWithdrawal(10 ether);
        _request(10 ether);
        _skip(THAW);
        vm.expectRevert(abi.encodeWithSelector(IPayments.EscrowNotReleased.selector, 0));
        vm.prank(operator);
        payments.withdraw(payable(operator));
    }

    function test_onlyPaymentsMovesBond() public {
        bytes memory refusal = abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, operator);
        vm.expectRevert(refusal);
        vm.prank(operator);
        staking.claimBond(coordinator, 1);
    }
}
