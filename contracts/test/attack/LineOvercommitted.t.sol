// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPayments} from "../../src/interfaces/IPayments.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {PaymentsBase} from "../utils/PaymentsBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A coordinator that promises more than it has: whatever it does, lines stay within escrow + half the bond.
contract LineOvercommittedAttack is PaymentsBase {
    function _expectCoverTooLow(uint256 coverWei, uint256 neededWei) private {
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, coverWei, neededWei));
    }

    function test_manyLinesAddUp() public {
        _raise(miner, 30 ether);
        _expectCoverTooLow(50 ether, 51 ether);
        _raise(other, 21 ether);
        // In one call for several miners as well.
        address[] memory miners = new address[](2);
        uint256[] memory added = new uint256[](2);
        (miners[0], miners[1]) = (miner, other);
        (added[0], added[1]) = (10 ether, 11 ether);
        _expectCoverTooLow(50 ether, 51 ether);
        vm.prank(coordinator);
        payments.raiseLines(coordinator, miners, added);
    }

    function test_sumsDoNotWrapAround() public {
        _raise(miner, 30 ether);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        _raise(other, type(uint256).max - 20 ether);
    }

    function test_escrowAskedBackCoversNoLines() public {
        _deposit(20 ether);
        _request(20 ether);
        _expectCoverTooLow(50 ether, 51 ether);
        _raise(miner, 51 ether);
    }

    function test_escrowUnderLinesIsNotGivenBack() public {
        _deposit(20 ether);
        _raise(miner, 70 ether);
        _expectCoverTooLow(70 ether - 1, 70 ether);
        _request(1);
    }

    function test_bondUnderLinesDoesNotThaw() public {
        _raise(miner, 40 ether);
        staking.unbond(coordinator, 20 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakingHooks.BondCommitted.selector, 80 ether - 1, 80 ether));
        staking.unbond(coordinator, 1);
    }

    /// @dev The notice counts only when it is over and in the books.
    function test_noticeFreesNothingAtOnce() public {
        _raise(miner, 50 ether);
        _notice(miner, 0);
        _expectCoverTooLow(50 ether, 50 ether + 1);
        _raise(other, 1);
        _skip(THAW);
        payments.applyNotice(coordinator, miner);
        _raise(other, 50 ether);
        // Nor does it come back for free.
        _expectCoverTooLow(50 ether, 50 ether + 1);
        _raise(miner, 1);
    }

    function test_withdrawingANoticeThatIsOverIsARaise() public {
        _raise(miner, 50 ether);
        _notice(miner, 0);
        _skip(THAW);
        _raise(miner, 0);
        vm.assertEq(_line(miner), 0, "line");
    }

    /// @dev Bond that penalties will need covers no lines.
    function test_claimsReserveTheirPenalty() public {
        _openClaim(miner, 40 ether);
        _expectCoverTooLow(28 ether - 1, 28 ether);
        _raise(other, 28 ether);
        _raise(other, 28 ether - 1);
        _skip(TOP_UP);
        payments.penalise(1);
        vm.assertLe(payments.requiredBondWei(coordinator), _bond(), "the penalty breaks no cover");
    }

    /// @dev A miner's bond leaves without asking Payments, so it covers nothing, not even lines of its time as coordinator.
    function test_aMinersBondCoversNothing() public {
        _deposit(20 ether);
        _raise(miner, 20 ether);
        staking.unbond(coordinator, BOND);
        staking.setRole(coordinator, Role.Miner);
        staking.setNode{value: BOND}(coordinator, operator, Role.Miner);
        _expectCoverTooLow(20 ether - 1, 20 ether);
        _request(1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.NotCoordinator.selector, coordinator));
        _raise(miner, 1);
        (uint256 paidWei, uint256 claimedWei) = _redeem(miner, 20 ether);
        vm.assertEq(paidWei, 20 ether, "paid");
        vm.assertEq(claimedWei, 0, "claimed");
    }
}
