// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Voucher} from "../../src/libraries/Signed.sol";
import {Network} from "../utils/Network.sol";
import {Vm, vm} from "../utils/Vm.sol";

/// @notice What whole transactions of payments and epochs cost, against the real staking contract (see Gas.t.sol).
/// forge-config: default.isolate = true
/// forge-config: deep.isolate = true
contract PaymentsGasTest is Network {
    uint256 private constant REDEEM = 90_000;

    address private coordinator;
    address private miner;
    address private other;

    function setUp() public override {
        // Coverage compiles without the optimizer: its figures mean nothing.
        vm.skip(vm.isContext(Vm.ForgeContext.Coverage));
        super.setUp();
        coordinator = _registerCoordinator("coordinator");
        miner = _registerMiner("miner");
        other = _registerMiner("other");
        _deposit(coordinator, 1_000 ether);
        _raise(coordinator, miner, 1_000 ether);
    }

    function _check(string memory name, uint256 limit) private {
        vm.assertLe(vm.snapshotGasLastCall("gas", name), limit, name);
    }

    function test_redeem() public {
        _redeem(coordinator, miner, 1 ether);
        _check("redeem a voucher, first of the line", REDEEM);
        _skip(1 hours);
        _redeem(coordinator, miner, 2 ether);
        _check("redeem a voucher, later", REDEEM);
    }

    function test_redeemWithVoters() public {
        _vote(_account("voter"), miner, 1_000 ether);
        _redeem(coordinator, miner, 1 ether);
        // Once in a node's life: the slot in which its voters' income drips is fresh.
        _check("redeem a voucher, first with voters", REDEEM + 20_000);
        _skip(1 hours);
        _redeem(coordinator, miner, 2 ether);
        _check("redeem a voucher, later with voters", REDEEM);
    }

    function test_redeemAfterANotice() public {
        vm.prank(coordinator);
        payments.noticeLine(coordinator, miner, 10 ether);
        _check("give notice on a line", 80_000);
        _skip(THAW);
        _redeem(coordinator, miner, 1 ether);
        _check("redeem a voucher, notice over", REDEEM);
    }

    function test_redeemFromThawingEscrow() public {
        _raise(coordinator, other, 1_000 ether);
        vm.prank(coordinator);
        payments.requestWithdrawal(500 ether);
        _check("ask escrow back", 80_000);
        _redeem(coordinator, miner, 1 ether);
        _check("redeem a voucher, escrow asked back", REDEEM);
    }

    /// @dev Ten vouchers of ten coordinators to one miner with voters; and of one coordinator to ten miners.
    function test_batches() public {
        _vote(_account("voter"), miner, 1_000 ether);
        Voucher[] memory vouchers = new Voucher[](10);
        bytes[] memory signatures = new bytes[](10);
        for (uint256 i = 0; i < 10; ++i) {
            address each = _registerCoordinator(string(abi.encodePacked("coordinator ", bytes1(uint8(65 + i)))));
            _deposit(each, 10 ether);
            _raise(each, miner, 10 ether);
            (vouchers[i], signatures[i]) = _voucher(each, miner, 1 ether);
        }
        payments.redeem(vouchers, signatures);
        _check("redeem ten vouchers of ten coordinators to one miner", 500_000);
        for (uint256 i = 0; i < 10; ++i) {
            address each = _registerMiner(string(abi.encodePacked("miner ", bytes1(uint8(65 + i)))));
            _raise(coordinator, each, 10 ether);
            (vouchers[i], signatures[i]) = _voucher(coordinator, each, 1 ether);
        }
        payments.redeem(vouchers, signatures);
        _check("redeem ten vouchers of one coordinator to ten miners", 550_000);
    }

    function test_claims() public {
        _raise(coordinator, other, 100_000 ether);
        _redeem(coordinator, miner, 1_000 ether);
        _redeem(coordinator, other, 40_000 ether);
        _check("redeem a voucher, claimed on the bond", 300_000);
        _redeem(coordinator, other, 60_000 ether);
        _skip(TOP_UP);
        payments.penalise(1);
        _check("penalise a claim", 150_000);
        _deposit(coordinator, 20_000 ether);
        payments.cover(_list(2));
        _check("cover a claim", 200_000);
        _skip(THAW);
        payments.collect(1);
        _check("collect a claim", 150_000);
    }

    function test_lines() public {
        _raise(coordinator, other, 1 ether);
        _check("raise a line, new", 90_000);
        _raise(coordinator, other, 1 ether);
        _check("raise a line, more", 70_000);
        _deposit(coordinator, 1 ether);
        _check("deposit escrow, more", 50_000);
    }

    function test_turnAnEpoch() public {
        uint64 epoch = epochs.currentEpoch();
        bytes32 secret = keccak256("secret");
        bytes32 commitment = epochs.commitmentOf(coordinator, epoch, secret);
        bytes32 next = epochs.commitmentOf(coordinator, epoch + 1, secret);
        vm.prank(_operator(coordinator));
        epochs.commit(coordinator, epoch, commitment);
        _check("commit to a draw epoch", 70_000);
        _skip(DRAW);
        vm.prank(_operator(coordinator));
        epochs.turn(coordinator, epoch, secret, epoch + 1, next);
        _check("turn a draw epoch", 75_000);
    }
}
