// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Payments} from "../../src/Payments.sol";
import {IPayments} from "../../src/interfaces/IPayments.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {Voucher} from "../../src/libraries/Signed.sol";
import {PaymentsBase} from "../utils/PaymentsBase.sol";
import {StakingMock} from "../utils/StakingMock.sol";
import {vm} from "../utils/Vm.sol";

/// @dev Takes no money.
contract Refusing {}

/// @dev A coordinator's owner that withdraws again while it is paid, and answers with as much data as the gas allows.
contract Reentrant {
    Payments private immutable payments;
    bytes4 public answer;

    constructor(Payments payments_) {
        payments = payments_;
    }

    function request(uint256 amountWei) external {
        payments.requestWithdrawal(amountWei);
    }

    function withdraw() external returns (uint256 gas) {
        gas = gasleft();
        payments.withdraw(payable(address(this)));
        gas -= gasleft();
    }

    receive() external payable {
        bytes memory again = abi.encodeCall(payments.withdraw, (payable(address(this))));
        (bool done, bytes memory data) = address(payments).call(again);
        answer = done ? bytes4(0) : bytes4(data);
        assembly {
            return(0, 1000000)
        }
    }
}

/// @notice Escrow, lines and vouchers, function by function.
contract PaymentsTest is PaymentsBase {
    // ---- constructor ----

    function test_constructorRefusesAForeignStaking() public {
        StakingMock foreign = new StakingMock();
        foreign.wire(address(payments), address(0), address(0));
        vm.expectRevert(abi.encodeWithSelector(IPayments.ParameterInvalid.selector, "staking"));
        new Payments(foreign, TOP_UP);
    }

    function test_constructorRefusesBadTopUps() public {
        uint64[2] memory bad = [uint64(0), THAW];
        for (uint256 i = 0; i < bad.length; ++i) {
            StakingMock fresh = new StakingMock();
            fresh.wire(_nextCreated(), address(0), address(0));
            vm.expectRevert(abi.encodeWithSelector(IPayments.ParameterInvalid.selector, "topUpSeconds"));
            new Payments(fresh, bad[i]);
        }
        vm.assertEq(payments.topUpSeconds(), TOP_UP, "top up");
        vm.assertEq(address(payments.staking()), address(staking), "staking");
    }

    // ---- escrow ----

    function test_anybodyDeposits() public {
        vm.deal(stranger, 5 ether);
        vm.expectEmit(address(payments));
        emit IPayments.EscrowDeposited(coordinator, stranger, 5 ether);
        vm.prank(stranger);
        payments.deposit{value: 5 ether}(coordinator);
        vm.assertEq(_escrow(), 5 ether, "escrow");
        vm.assertEq(address(payments).balance, 5 ether, "balance");
    }

    function test_depositRefusesNothingAndNonCoordinators() public {
        vm.expectRevert(IPayments.AmountZero.selector);
        payments.deposit(coordinator);
        vm.expectRevert(abi.encodeWithSelector(IPayments.NotCoordinator.selector, miner));
        payments.deposit{value: 1}(miner);
    }

    function test_escrowLeavesOneThawAfterTheRequest() public {
        _deposit(10 ether);
        vm.expectEmit(address(payments));
        emit IPayments.EscrowThawStarted(coordinator, 4 ether, START + THAW);
        _request(4 ether);
        IPayments.CoordinatorView memory books = payments.getCoordinator(coordinator);
        vm.assertEq(books.thawingWei, 4 ether, "thawing");
        vm.assertEq(books.releaseAt, START + THAW, "release");
        _skip(THAW - 1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.EscrowNotReleased.selector, START + THAW));
        _withdraw(stranger);
        _skip(1);
        vm.expectEmit(address(payments));
        emit IPayments.EscrowWithdrawn(coordinator, stranger, 4 ether);
        _withdraw(stranger);
        vm.assertEq(stranger.balance, 4 ether, "paid");
        vm.assertEq(_escrow(), 6 ether, "left");
        vm.expectRevert(abi.encodeWithSelector(IPayments.EscrowNotReleased.selector, 0));
        _withdraw(stranger);
    }

    function test_aSecondRequestStartsBothAnew() public {
        _deposit(10 ether);
        _request(4 ether);
        _skip(THAW - 1);
        _request(6 ether);
        _skip(1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.EscrowNotReleased.selector, START + 2 * THAW - 1));
        _withdraw(stranger);
        _skip(THAW - 1);
        _withdraw(stranger);
        vm.assertEq(stranger.balance, 10 ether, "paid");
        vm.assertEq(payments.getCoordinator(coordinator).releaseAt, 0, "nothing asked back");
    }

    function test_requestRefusesNothingAndMoreThanThereIs() public {
        _deposit(10 ether);
        vm.expectRevert(IPayments.AmountZero.selector);
        _request(0);
        _request(4 ether);
        vm.expectRevert(abi.encodeWithSelector(IPayments.EscrowTooLow.selector, 6 ether, 7 ether));
        _request(7 ether);
    }

    function test_requestKeepsLinesCovered() public {
        _deposit(10 ether);
        _raise(miner, 55 ether);
        _request(5 ether);
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, 55 ether - 1, 55 ether));
        _request(1);
    }

    function test_aCoordinatorThatLeftGetsItsEscrow() public {
        _deposit(10 ether);
        staking.setRole(coordinator, Role.None);
        _request(10 ether);
        _skip(THAW);
        _withdraw(coordinator);
        vm.assertEq(coordinator.balance, 10 ether, "paid");
    }

    function test_withdrawRefusesNobodyAndWhoTakesNothing() public {
        _deposit(1 ether);
        _request(1 ether);
        _skip(THAW);
        vm.expectRevert(abi.encodeWithSelector(IPayments.ParameterInvalid.selector, "to"));
        _withdraw(address(0));
        address refusing = address(new Refusing());
        vm.expectRevert(abi.encodeWithSelector(IPayments.TransferFailed.selector, refusing, 1 ether));
        _withdraw(refusing);
        _withdraw(stranger);
    }

    function test_thawingEscrowPaysVouchersLast() public {
        _deposit(10 ether);
        _raise(miner, 8 ether);
        _request(6 ether);
        _redeem(miner, 3 ether);
        vm.assertEq(payments.getCoordinator(coordinator).thawingWei, 6 ether, "the rest pays first");
        _redeem(miner, 8 ether);
        vm.assertEq(payments.getCoordinator(coordinator).thawingWei, 2 ether, "then what is asked back");
        // New money is not what was asked back.
        _deposit(5 ether);
        vm.assertEq(payments.getCoordinator(coordinator).thawingWei, 2 ether, "not refilled");
        _skip(THAW);
        _withdraw(stranger);
        vm.assertEq(stranger.balance, 2 ether, "paid");
        vm.assertEq(_escrow(), 5 ether, "left");
    }

    function test_nothingIsLeftOfWhatWasAskedBack() public {
        _deposit(4 ether);
        _raise(miner, 4 ether);
        _request(4 ether);
        _redeem(miner, 4 ether);
        _skip(THAW);
        vm.expectRevert(IPayments.AmountZero.selector);
        _withdraw(stranger);
    }

    function test_receiversNeitherReenterNorBomb() public {
        Reentrant receiver = new Reentrant(payments);
        staking.setNode{value: BOND}(address(receiver), stranger, Role.Coordinator);
        payments.deposit{value: 10 ether}(address(receiver));
        receiver.request(4 ether);
        _skip(THAW);
        // The bomb's own memory costs 2 M; copying it back would cost the caller as much again.
        vm.assertLt(receiver.withdraw(), 2_400_000, "gas");
        vm.assertTrue(receiver.answer() == bytes4(keccak256("ReentrancyGuardReentrantCall()")), "re-entered");
        vm.assertEq(address(receiver).balance, 4 ether, "paid once");
    }

    // ---- lines ----

    function test_ownerRaisesLinesOnHalfTheBond() public {
        _deposit(10 ether);
        vm.expectEmit(address(payments));
        emit IPayments.LineRaised(coordinator, miner, 60 ether, 60 ether);
        _raise(miner, 60 ether);
        vm.assertEq(_line(miner), 60 ether, "line");
        vm.assertEq(_open(), 60 ether, "open");
        vm.assertEq(payments.requiredBondWei(coordinator), 100 ether, "required");
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, 60 ether, 60 ether + 1));
        _raise(other, 1);
    }

    function test_operatorRaisesLinesWithinEscrow() public {
        _deposit(10 ether);
        _raise(operator, miner, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(IPayments.CoverTooLow.selector, 10 ether, 10 ether + 1));
        _raise(operator, miner, 1);
    }

    function test_raiseSeveralAtOnce() public {
        address[] memory miners = new address[](3);
        uint256[] memory added = new uint256[](3);
        (miners[0], miners[1], miners[2]) = (miner, other, miner);
        (added[0], added[1], added[2]) = (1 ether, 2 ether, 3 ether);
        vm.prank(coordinator);
        payments.raiseLines(coordinator, miners, added);
        vm.assertEq(_line(miner), 4 ether, "twice");
        vm.assertEq(_line(other), 2 ether, "once");
        vm.assertEq(_open(), 6 ether, "open");
    }

    function test_raiseRefuses() public {
        vm.expectRevert(abi.encodeWithSelector(IPayments.LengthMismatch.selector, 1, 0));
        payments.raiseLines(coordinator, _list(miner), new uint256[](0));
        vm.expectRevert(abi.encodeWithSelector(IPayments.NotActing.selector, stranger, coordinator));
        _raise(stranger, miner, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayments.NotMiner.selector, stranger));
        _raise(stranger, 1);
        vm.prank(miner);
        vm.expectRevert(abi.encodeWithSelector(IPayments.NotCoordinator.selector, miner));
        payments.raiseLines(miner, _list(other), _list(1));
    }

    function test_aLineShrinksOneThawAfterNotice() public {
        _raise(miner, 50 ether);
        vm.expectEmit(address(payments));
        emit IPayments.LineNoticed(coordinator, miner, 10 ether, START + THAW);
        vm.prank(operator);
        payments.noticeLine(coordinator, miner, 10 ether);
        IPayments.LineView memory line = payments.getLine(coordinator, miner);
        vm.assertEq(line.noticedCapWei, 10 ether, "noticed");
        vm.assertEq(line.noticeAt, START + THAW, "time");
        _skip(THAW - 1);
        vm.assertEq(_line(miner), 50 ether, "until then");
        vm.expectRevert(abi.encodeWithSelector(IPayments.NoticeNotOver.selector, START + THAW));
        payments.applyNotice(coordinator, miner);
        _skip(1);
        vm.assertEq(_line(miner), 10 ether, "from then on");
        vm.assertEq(_open(), 50 ether, "books");
        vm.expectEmit(address(payments));
        emit IPayments.LineShrunk(coordinator, miner, 10 ether);
        payments.applyNotice(coordinator, miner);
        vm.assertEq(_open(), 10 ether, "free");
        vm.expectRevert(abi.encodeWithSelector(IPayments.NoNotice.selector, coordinator, miner));
        payments.applyNotice(coordinator, miner);
    }

    function test_vouchersBeforeTheNoticeIsOverCount() public {
        _deposit(50 ether);
        _raise(miner, 50 ether);
        _notice(miner, 10 ether);
        _redeem(miner, 30 ether);
        _skip(THAW);
        vm.assertEq(_line(miner), 0, "line");
        (uint256 paidWei,) = _redeem(miner, 50 ether);
        vm.assertEq(paidWei, 0, "paid");
        vm.assertEq(_open(), 0, "the redemption carried the notice into the books");
        vm.assertEq(payments.getLine(coordinator, miner).capWei, 30 ether, "cap");
    }

    function test_noticeRefuses() public {
        _deposit(50 ether);
        _raise(miner, 50 ether);
        _redeem(miner, 20 ether);
        vm.expectRevert(abi.encodeWithSelector(IPayments.NotActing.selector, stranger, coordinator));
        vm.prank(stranger);
        payments.noticeLine(coordinator, miner, 20 ether);
        uint256[2] memory bad = [uint256(20 ether - 1), 50 ether + 1];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPayments.CapInvalid.selector, bad[i], 20 ether, 50 ether));
            _notice(miner, bad[i]);
        }
    }

    function test_aLaterNoticeWaitsAWholeThaw() public {
        _raise(miner, 50 ether);
        _notice(miner, 10 ether);
        _skip(THAW - 1);
        _notice(miner, 20 ether);
        _skip(THAW - 1);
        vm.assertEq(_line(miner), 50 ether, "waits");
        _skip(1);
        // One that is over is applied first.
        _notice(miner, 0);
        vm.assertEq(_open(), 20 ether, "applied");
    }

    function test_raisingWithdrawsANotice() public {
        _raise(miner, 40 ether);
        _notice(miner, 0);
        _raise(miner, 0);
        IPayments.LineView memory line = payments.getLine(coordinator, miner);
        vm.assertEq(line.noticeAt, 0, "no notice");
        vm.assertEq(line.noticedCapWei, 0, "no noticed cap");
        _skip(THAW);
        vm.assertEq(_line(miner), 40 ether, "line");
    }

    function test_raisingAfterANoticeStartsFromTheShrunkLine() public {
        _raise(miner, 40 ether);
        _notice(miner, 15 ether);
        _skip(THAW);
        _raise(miner, 5 ether);
        vm.assertEq(_line(miner), 20 ether, "line");
        vm.assertEq(_open(), 20 ether, "open");
    }

    // ---- vouchers ----

    function test_redeemPaysTheDifference() public {
        _deposit(10 ether);
        _raise(miner, 10 ether);
        vm.expectEmit(address(payments));
        emit IPayments.VoucherRedeemed(coordinator, miner, 4 ether, 4 ether, 0, 0);
        (uint256 paidWei, uint256 claimedWei) = _redeem(miner, 4 ether);
        vm.assertEq(paidWei, 4 ether, "first");
        (paidWei, claimedWei) = _redeem(miner, 7 ether);
        vm.assertEq(paidWei, 3 ether, "difference");
        vm.assertEq(claimedWei, 0, "claimed");
        vm.assertEq(_income(miner), 7 ether, "income");
        vm.assertEq(_line(miner), 3 ether, "line");
        vm.assertEq(_open(), 3 ether, "open");
        vm.assertEq(address(payments).balance, _escrow(), "balance");
    }

    function test_redeemStopsAtTheLine() public {
        _deposit(20 ether);
        _raise(miner, 5 ether);
        (uint256 paidWei,) = _redeem(miner, 9 ether);
        vm.assertEq(paidWei, 5 ether, "line");
        _raise(miner, 2 ether);
        (paidWei,) = _redeem(miner, 9 ether);
        vm.assertEq(paidWei, 2 ether, "raised");
    }

    function test_whatEscrowLacksIsClaimed() public {
        _deposit(10 ether);
        _raise(miner, 40 ether);
        vm.expectEmit(address(payments));
        emit IPayments.VoucherRedeemed(coordinator, miner, 30 ether, 10 ether, 20 ether, 1);
        (uint256 paidWei, uint256 claimedWei) = _redeem(miner, 30 ether);
        vm.assertEq(paidWei, 10 ether, "escrow");
        vm.assertEq(claimedWei, 20 ether, "bond");
        vm.assertEq(_bond(), 80 ether, "bond left");
        vm.assertEq(_open(), 10 ether, "open");
        vm.assertEq(_income(miner), 10 ether, "income");
        IPayments.CoordinatorView memory books = payments.getCoordinator(coordinator);
        vm.assertEq(books.claimsWei, 20 ether, "claims");
        vm.assertEq(books.requiredBondWei, 20 ether + 2 ether + 1, "required");
    }

    function test_whatTheBondLacksStaysRedeemable() public {
        _raise(miner, 50 ether);
        _slash(70 ether);
        (, uint256 claimedWei) = _redeem(miner, 50 ether);
        vm.assertEq(claimedWei, 30 ether, "all there is");
        (, claimedWei) = _redeem(miner, 50 ether);
        vm.assertEq(claimedWei, 0, "nothing");
        vm.assertEq(_line(miner), 20 ether, "redeemable");
        _deposit(20 ether);
        (uint256 paidWei,) = _redeem(miner, 50 ether);
        vm.assertEq(paidWei, 20 ether, "later");
    }

    function test_redeemRefusesWhatIsNotSigned() public {
        _deposit(10 ether);
        _raise(miner, 10 ether);
        Voucher memory voucher = _voucher(miner, 1 ether);
        bytes memory forged = _sign(_key("stranger"), voucher);
        vm.expectRevert(abi.encodeWithSelector(IPayments.SignatureInvalid.selector, stranger, coordinator));
        payments.redeem(_list(voucher), _list(forged));
        vm.expectRevert(abi.encodeWithSelector(IPayments.SignatureInvalid.selector, address(0), coordinator));
        payments.redeem(_list(voucher), _list(bytes("")));
        vm.expectRevert(abi.encodeWithSelector(IPayments.LengthMismatch.selector, 1, 0));
        payments.redeem(_list(voucher), new bytes[](0));
        // With nothing left to pay it is skipped unread.
        voucher.cumulativeWei = 0;
        payments.redeem(_list(voucher), _list(bytes("")));
    }

    function test_batchesPayEachAndCreditMinersOnce() public {
        _deposit(10 ether);
        _raise(miner, 10 ether);
        _raise(other, 10 ether);
        address second = vm.addr(_key("second"));
        staking.setNode{value: BOND}(second, vm.addr(_key("second's operator")), Role.Coordinator);
        payments.deposit{value: 3 ether}(second);
        vm.prank(second);
        payments.raiseLines(second, _list(miner), _list(2 ether));

        Voucher[] memory vouchers = new Voucher[](5);
        bytes[] memory signatures = new bytes[](5);
        vouchers[0] = _voucher(miner, 1 ether);
        vouchers[1] = Voucher(second, miner, 2 ether, START);
        vouchers[2] = _voucher(miner, 1 ether);
        vouchers[3] = _voucher(other, 5 ether);
        vouchers[4] = _voucher(other, 4 ether);
        for (uint256 i = 0; i < 5; ++i) {
            signatures[i] = _sign(_key(i == 1 ? "second's operator" : "operator"), vouchers[i]);
        }
        (uint256 paidWei, uint256 claimedWei) = payments.redeem(vouchers, signatures);
        vm.assertEq(paidWei, 8 ether, "paid");
        vm.assertEq(claimedWei, 0, "claimed");
        vm.assertEq(_income(miner), 3 ether, "miner");
        vm.assertEq(_income(other), 5 ether, "other");
        vm.assertEq(address(payments).balance, 5 ether, "balance");
    }

    function test_previewIsWhatRedeemDoes() public {
        _deposit(10 ether);
        _raise(miner, 40 ether);
        _assertPreview(0, 0, 0);
        _assertPreview(4 ether, 4 ether, 0);
        _redeem(miner, 4 ether);
        _assertPreview(3 ether, 0, 0);
        _assertPreview(99 ether, 6 ether, 30 ether);
        _slash(80 ether);
        _assertPreview(99 ether, 6 ether, 20 ether);
        _notice(miner, 5 ether);
        _skip(THAW);
        _assertPreview(99 ether, 1 ether, 0);
    }

    function _assertPreview(uint256 cumulativeWei, uint256 paid, uint256 claimed) private {
        (uint256 paidWei, uint256 claimedWei) = payments.previewRedeem(coordinator, miner, cumulativeWei);
        vm.assertEq(paidWei, paid, "preview, paid");
        vm.assertEq(claimedWei, claimed, "preview, claimed");
        uint256 state = vm.snapshotState();
        (paidWei, claimedWei) = _redeem(miner, cumulativeWei);
        vm.assertEq(paidWei, paid, "paid");
        vm.assertEq(claimedWei, claimed, "claimed");
        vm.revertToState(state);
    }

    function test_strangersOweNothing() public view {
        vm.assertEq(payments.requiredBondWei(stranger), 0, "required");
        vm.assertEq(payments.getLine(stranger, miner).lineWei, 0, "line");
    }
}
