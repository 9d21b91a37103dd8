// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Vote} from "../../src/interfaces/ICourt.sol";
import {IPayments} from "../../src/interfaces/IPayments.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Assignment, Receipt, Result, Voucher} from "../../src/libraries/Signed.sol";
import {Disputes} from "../utils/Disputes.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A hot key is stolen and rotated away. The thief signs receipts and vouchers with it, dated as it likes; or the node
/// itself rotates to disown what its old key signed.
contract RotatedKeyAttack is Disputes {
    uint64 private rotatedAt;

    function setUp() public override {
        super.setUp();
        _deposit(coordinator, 1_000 ether);
        _raise(coordinator, miner, 1_000 ether);
    }

    function _rotate(address node) private {
        _setOperator(node, _operatorKey(node, 1));
        rotatedAt = _now();
    }

    // ---- receipts ----

    /// @dev The thief has the miner's old key and a colluding coordinator: whatever is issued after the rotation proves nothing.
    function test_nothingIssuedAfterTheRotationCounts() public {
        _rotate(miner);
        _skip(1);
        Receipt memory receipt = _receipt(1);
        uint256 bondWei = court.challengeBondWei(miner);
        vm.expectRevert(abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(miner), miner));
        vm.prank(challenger);
        court.challenge{value: bondWei}(receipt, _evidence());
        _refuseReport(_assignment(2));
    }

    /// @dev Back-dated to before the rotation it counts, as long as there is evidence time: a miner cannot disown its results.
    function test_rotatingDoesNotDisownAResult() public {
        Receipt memory receipt = _receipt(1);
        _rotate(miner);
        _rotate(coordinator);
        _skip(2 days);
        uint256 atRiskWei = _atRisk(miner);
        _judge(_challenge(receipt), Vote.Invalid);
        vm.assertEq(_atRisk(miner), atRiskWei * 9 / 10, "a tenth");
    }

    /// @dev What the thief may do at most: frame for what falls into evidence time before the rotation, and not a second longer.
    function test_backDatingDiesWithTheEvidenceTime() public {
        Assignment memory given = _assignment(1);
        _rotate(miner);
        _skip(2 days + 1);
        uint256 atRiskWei = _atRisk(miner);
        vm.expectRevert(abi.encodeWithSelector(ICourt.EvidenceExpired.selector, rotatedAt + 2 days));
        this.report(given);
        vm.assertEq(_atRisk(miner), atRiskWei, "nothing taken");
    }

    /// @dev The miner's key alone frames nobody: the assignment needs the coordinator's, whose old key is as dead.
    function test_bothOldKeysTogetherAssignNothingNew() public {
        _rotate(coordinator);
        _skip(1);
        Assignment memory given = _assignment(1);
        vm.expectRevert(abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(coordinator), coordinator));
        this.report(given);
    }

    function report(Assignment calldata given) external {
        _reportMiner(given, sha256("one"), sha256("two"));
    }

    function _refuseReport(Assignment memory given) private {
        vm.expectRevert(abi.encodeWithSelector(ICourt.SignatureInvalid.selector, _operator(miner), miner));
        this.report(given);
    }

    // ---- vouchers ----

    function _oldKeysVoucher(uint256 cumulativeWei, uint64 issuedAt)
        private
        view
        returns (Voucher memory, bytes memory)
    {
        Voucher memory voucher = Voucher(coordinator, miner, uint128(cumulativeWei), issuedAt);
        return (voucher, _sign(_operatorKey(coordinator, 0), voucher));
    }

    function _pays(uint256 cumulativeWei, uint64 issuedAt) private returns (uint256 paidWei) {
        (Voucher memory voucher, bytes memory signature) = _oldKeysVoucher(cumulativeWei, issuedAt);
        (paidWei,) = payments.redeem(_list(voucher), _list(signature));
    }

    function _refusesVoucher(uint256 cumulativeWei, uint64 issuedAt) private {
        (Voucher memory voucher, bytes memory signature) = _oldKeysVoucher(cumulativeWei, issuedAt);
        address signer = _operator(coordinator);
        vm.expectRevert(abi.encodeWithSelector(IPayments.SignatureInvalid.selector, signer, coordinator));
        payments.redeem(_list(voucher), _list(signature));
    }

    /// @dev Honest miners have one thaw to redeem what the old key signed, to the second.
    function test_vouchersOfARotatedKeyCountForOneThaw() public {
        _rotate(coordinator);
        vm.assertEq(_pays(10 ether, rotatedAt), 10 ether, "of the rotation's second");
        _skip(THAW);
        vm.assertEq(_pays(20 ether, rotatedAt - 1), 10 ether, "in the last second");
        _skip(1);
        _refusesVoucher(30 ether, rotatedAt - 1);
        _refusesVoucher(30 ether, 0);
    }

    function test_datesAfterTheRotationDoNotCount() public {
        _rotate(coordinator);
        _skip(1);
        _refusesVoucher(10 ether, rotatedAt + 1);
        _refusesVoucher(10 ether, _now() + 1 hours);
        // No sum with it overflows.
        _refusesVoucher(10 ether, type(uint64).max);
    }

    /// @dev Each rotation starts the clock of the key that it replaces, and of no other.
    function test_rotatingAgainDoesNotReviveTheFirstKey() public {
        _rotate(coordinator);
        uint64 first = rotatedAt;
        _skip(THAW);
        _setOperator(coordinator, _operatorKey(coordinator, 2));
        vm.assertEq(staking.partyOf(_operator(coordinator), first), coordinator, "still");
        _skip(1);
        vm.assertEq(staking.partyOf(_operator(coordinator), first), address(0), "over");
        _refusesVoucher(10 ether, first);
        address second = vm.addr(_operatorKey(coordinator, 1));
        vm.assertEq(staking.partyOf(second, _now() - 1), coordinator, "the second key's last day");
    }

    function test_leavingIsARotationToo() public {
        vm.prank(coordinator);
        staking.deregister();
        rotatedAt = _now();
        _skip(1);
        _refusesVoucher(10 ether, rotatedAt + 1);
        vm.assertEq(_pays(10 ether, rotatedAt), 10 ether, "of before");
        _skip(THAW);
        _refusesVoucher(20 ether, rotatedAt);
    }

    /// @dev A current key counts for older dates too: a coordinator that lost its key signs its debts anew.
    function test_theNewKeySignsForTheOld() public {
        _rotate(coordinator);
        Voucher memory voucher = Voucher(coordinator, miner, 10 ether, rotatedAt - 30 days);
        bytes memory signature = _sign(_operatorKey(coordinator, 1), voucher);
        (uint256 paidWei,) = payments.redeem(_list(voucher), _list(signature));
        vm.assertEq(paidWei, 10 ether, "paid");
    }

    // ---- acting ----

    /// @dev Signatures count for a while; the key itself does nothing from the rotation on.
    function test_anOldKeyActsNoMore() public {
        _rotate(coordinator);
        _rotate(miner);
        address thief = _operator(coordinator);
        bytes memory notActing = abi.encodeWithSelector(IStaking.NotActing.selector, thief, coordinator);
        vm.startPrank(thief);
        vm.expectRevert(notActing);
        staking.claim(coordinator);
        vm.expectRevert(notActing);
        staking.rest(coordinator);
        vm.expectRevert(notActing);
        payments.raiseLines(coordinator, _list(miner), _list(uint256(1)));
        vm.expectRevert(notActing);
        payments.noticeLine(coordinator, miner, 0);
        uint64 epoch = epochs.currentEpoch();
        vm.expectRevert(notActing);
        epochs.commit(coordinator, epoch, keccak256("commitment"));
        vm.stopPrank();
    }

    /// @dev Nor does it vote as a juror, though it was one's when the round opened.
    function test_anOldKeyIsNoJuror() public {
        uint256 caseId = _challenge(1);
        _passLive(court.sealSeconds());
        court.seal(caseId, "");
        _setOperator(jurors[0], _operatorKey(jurors[0], 1));
        address thief = _operator(jurors[0]);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotActing.selector, thief, jurors[0]));
        vm.prank(thief);
        court.commit(caseId, jurors[0], keccak256("commitment"));
    }

    /// @dev A challenger whose key was rotated away is still kept off the jury by it.
    function test_anOldKeysChallengeExcludesItsNode() public {
        _setOperator(jurors[0], _operatorKey(jurors[0], 1));
        address old = _operator(jurors[0]);
        _skip(2 * THAW);
        Receipt memory receipt = _receipt(1);
        uint256 bondWei = court.challengeBondWei(miner);
        vm.deal(old, bondWei);
        vm.prank(old);
        uint256 caseId = court.challenge{value: bondWei}(receipt, _evidence());
        _passLive(court.sealSeconds());
        court.seal(caseId, "");
        vm.assertEq(court.getSeat(caseId, 0, jurors[0]).seats, 0, "no seat");
    }
}
