// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {IPayments} from "../../src/interfaces/IPayments.sol";
import {Signed, Voucher} from "../../src/libraries/Signed.sol";
import {Network} from "../utils/Network.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Vouchers used again, out of order, elsewhere, by the wrong key, or to spoil what others redeem.
contract VoucherReplayAttack is Network {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    address private coordinator;
    address private miner;
    address private other;

    function setUp() public override {
        super.setUp();
        coordinator = _registerCoordinator("coordinator");
        miner = _registerMiner("miner");
        other = _registerMiner("other");
        _deposit(coordinator, 100 ether);
        _raise(coordinator, miner, 50 ether);
    }

    function _expectInvalid(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(IPayments.SignatureInvalid.selector, signer, coordinator));
    }

    function test_aVoucherPaysOnce() public {
        (Voucher memory voucher, bytes memory signature) = _voucher(coordinator, miner, 10 ether);
        payments.redeem(_list(voucher), _list(signature));
        (uint256 paidWei,) = payments.redeem(_list(voucher), _list(signature));
        vm.assertEq(paidWei, 0, "again");
        // Nor twice in one batch.
        Voucher[] memory twice = new Voucher[](2);
        bytes[] memory signatures = new bytes[](2);
        (twice[0], signatures[0]) = _voucher(coordinator, miner, 15 ether);
        (twice[1], signatures[1]) = (twice[0], signatures[0]);
        (paidWei,) = payments.redeem(twice, signatures);
        vm.assertEq(paidWei, 5 ether, "batch");
        vm.assertEq(staking.rewardsOf(miner), 15 ether, "rewards");
    }

    function test_anOlderVoucherAfterANewerPaysNothing() public {
        (Voucher memory older, bytes memory signature) = _voucher(coordinator, miner, 10 ether);
        _skip(1);
        _redeem(coordinator, miner, 20 ether);
        (uint256 paidWei,) = payments.redeem(_list(older), _list(signature));
        vm.assertEq(paidWei, 0, "older");
        vm.assertEq(staking.rewardsOf(miner), 20 ether, "rewards");
    }

    /// @dev Redeemed without a line, it is paid when there is one, once.
    function test_whatALineHeldBackIsPaidOnce() public {
        (Voucher memory voucher, bytes memory signature) = _voucher(coordinator, miner, 70 ether);
        payments.redeem(_list(voucher), _list(signature));
        vm.assertEq(staking.rewardsOf(miner), 50 ether, "line");
        _raise(coordinator, miner, 50 ether);
        payments.redeem(_list(voucher), _list(signature));
        payments.redeem(_list(voucher), _list(signature));
        vm.assertEq(staking.rewardsOf(miner), 70 ether, "rest");
    }

    function test_everyFieldIsSigned() public {
        _raise(coordinator, other, 50 ether);
        (Voucher memory voucher, bytes memory signature) = _voucher(coordinator, miner, 10 ether);
        Voucher[3] memory altered = [voucher, voucher, voucher];
        // Assigned whole: memory structs would be shared.
        altered[0] = Voucher(coordinator, other, voucher.cumulativeWei, voucher.issuedAt);
        altered[1] = Voucher(coordinator, miner, voucher.cumulativeWei + 1, voucher.issuedAt);
        altered[2] = Voucher(coordinator, miner, voucher.cumulativeWei, voucher.issuedAt - 1);
        for (uint256 i = 0; i < altered.length; ++i) {
            vm.expectPartialRevert(IPayments.SignatureInvalid.selector);
            payments.redeem(_list(altered[i]), _list(signature));
        }
    }

    /// @dev Another coordinator's key, or the miner's own, signs nothing for this one.
    function test_onlyTheCoordinatorsKeyCounts() public {
        address second = _registerCoordinator("second");
        Voucher memory voucher = Voucher(coordinator, miner, 10 ether, START);
        uint256[3] memory keys = [_operatorKey(second, 0), _operatorKey(miner, 0), _key("coordinator")];
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes memory signature = _sign(keys[i], voucher);
            _expectInvalid(vm.addr(keys[i]));
            payments.redeem(_list(voucher), _list(signature));
        }
    }

    function test_foreignDomainsDoNotCount() public {
        Voucher memory voucher = Voucher(coordinator, miner, 10 ether, START);
        bytes32[2] memory foreign = [
            keccak256(abi.encode(DOMAIN, keccak256("Cuckoo"), keccak256("1"), block.chainid + 1, address(staking))),
            keccak256(abi.encode(DOMAIN, keccak256("Cuckoo"), keccak256("1"), block.chainid, address(payments)))
        ];
        for (uint256 i = 0; i < foreign.length; ++i) {
            bytes32 digest = MessageHashUtils.toTypedDataHash(foreign[i], Signed.hash(voucher));
            bytes memory signature = _sign(_operatorKey(coordinator, 0), digest);
            vm.expectPartialRevert(IPayments.SignatureInvalid.selector);
            payments.redeem(_list(voucher), _list(signature));
        }
    }

    /// @dev On a fork of the chain, the old chain's vouchers are worth nothing.
    function test_aForkHasItsOwnDomain() public {
        (Voucher memory voucher, bytes memory signature) = _voucher(coordinator, miner, 10 ether);
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(IPayments.SignatureInvalid.selector);
        payments.redeem(_list(voucher), _list(signature));
        (uint256 paidWei,) = _redeem(coordinator, miner, 10 ether);
        vm.assertEq(paidWei, 10 ether, "signed for the fork");
    }

    /// @dev The other half of an ECDSA signature's two forms.
    function test_malleatedSignaturesDoNotCount() public {
        (Voucher memory voucher, bytes memory signature) = _voucher(coordinator, miner, 10 ether);
        (bytes32 r, bytes32 s, uint8 v) = (0, 0, 0);
        assembly {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory malleated = abi.encodePacked(r, order - uint256(s), v == 27 ? uint8(28) : uint8(27));
        _expectInvalid(address(0));
        payments.redeem(_list(voucher), _list(malleated));
    }

    function test_aRotatedOperatorsVouchers() public {
        (Voucher memory honest, bytes memory honestSignature) = _voucher(coordinator, miner, 10 ether);
        _skip(1 days);
        _setOperator(coordinator, _operatorKey(coordinator, 1));
        _skip(1);
        // Signed after the rotation: never.
        (Voucher memory late, bytes memory lateSignature) = _voucher(coordinator, miner, 20 ether);
        _expectInvalid(_operator(coordinator));
        payments.redeem(_list(late), _list(lateSignature));
        // Signed before it: for one thaw.
        uint256 state = vm.snapshotState();
        _skip(THAW - 1);
        (uint256 paidWei,) = payments.redeem(_list(honest), _list(honestSignature));
        vm.assertEq(paidWei, 10 ether, "in time");
        vm.revertToState(state);
        _skip(THAW);
        _expectInvalid(_operator(coordinator));
        payments.redeem(_list(honest), _list(honestSignature));
        // The new key signs the same debt.
        honest.issuedAt = uint64(vm.getBlockTimestamp());
        honestSignature = _sign(_operatorKey(coordinator, 1), honest);
        (paidWei,) = payments.redeem(_list(honest), _list(honestSignature));
        vm.assertEq(paidWei, 10 ether, "the new key's");
    }

    /// @dev Redeeming one voucher of somebody's batch first, the batch still pays the rest; the money is the miner's.
    function test_anotherRedeemsFirst() public {
        _raise(coordinator, other, 50 ether);
        Voucher[] memory batch = new Voucher[](2);
        bytes[] memory signatures = new bytes[](2);
        (batch[0], signatures[0]) = _voucher(coordinator, miner, 10 ether);
        (batch[1], signatures[1]) = _voucher(coordinator, other, 20 ether);
        vm.prank(_account("stranger"));
        payments.redeem(_list(batch[0]), _list(signatures[0]));
        (uint256 paidWei,) = payments.redeem(batch, signatures);
        vm.assertEq(paidWei, 20 ether, "the rest");
        vm.assertEq(staking.rewardsOf(miner), 10 ether, "miner");
        vm.assertEq(staking.rewardsOf(other), 20 ether, "other");
    }

    function test_aClaimIsPaidOnce() public {
        _raise(coordinator, miner, 150 ether);
        (, uint256 claimedWei) = _redeem(coordinator, miner, 200 ether);
        vm.assertEq(claimedWei, 100 ether, "claimed");
        _deposit(coordinator, 300 ether);
        (uint256 paidWei,) = _redeem(coordinator, miner, 200 ether);
        vm.assertEq(paidWei, 0, "not by the voucher again");
        payments.cover(_list(1));
        vm.assertEq(staking.rewardsOf(miner), 200 ether, "rewards");
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimUnknown.selector, 1));
        payments.cover(_list(1));
        _skip(THAW);
        vm.expectRevert(abi.encodeWithSelector(IPayments.ClaimUnknown.selector, 1));
        payments.collect(1);
    }
}
