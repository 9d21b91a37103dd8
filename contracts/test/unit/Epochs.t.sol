// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Epochs} from "../../src/Epochs.sol";
import {IEpochs} from "../../src/interfaces/IEpochs.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {PaymentsBase} from "../utils/PaymentsBase.sol";
import {StakingMock} from "../utils/StakingMock.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Commitments and reveals of draw epochs.
contract EpochsTest is PaymentsBase {
    uint64 private constant DRAW = 1 hours;
    uint64 private constant GRACE = 1 hours;
    uint64 private constant EPOCH = START / DRAW;
    bytes32 private constant SECRET = keccak256("secret");

    Epochs private epochs;

    function setUp() public override {
        super.setUp();
        staking.wire(address(payments), address(this), _nextCreated());
        epochs = new Epochs(staking, DRAW, GRACE);
    }

    function _commitment(uint64 epoch) private view returns (bytes32) {
        return epochs.commitmentOf(coordinator, epoch, SECRET);
    }

    function _commit(uint64 epoch) private {
        bytes32 commitment = _commitment(epoch);
        vm.prank(operator);
        epochs.commit(coordinator, epoch, commitment);
    }

    function _endOf(uint64 epoch) private pure returns (uint64) {
        return (epoch + 1) * DRAW;
    }

    function test_constructorRefusesBadWindows() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochs.ParameterInvalid.selector, "staking"));
        new Epochs(staking, DRAW, GRACE);
        uint64[3] memory draws = [uint64(0), DRAW, DRAW];
        uint64[3] memory graces = [GRACE, 0, THAW - DRAW];
        string[3] memory names = ["drawSeconds", "graceSeconds", "graceSeconds"];
        for (uint256 i = 0; i < draws.length; ++i) {
            StakingMock fresh = new StakingMock();
            fresh.wire(address(0), address(0), _nextCreated());
            vm.expectRevert(abi.encodeWithSelector(IEpochs.ParameterInvalid.selector, names[i]));
            new Epochs(fresh, draws[i], graces[i]);
        }
        vm.assertEq(address(epochs.staking()), address(staking), "staking");
        vm.assertEq(epochs.drawSeconds(), DRAW, "draw");
        vm.assertEq(epochs.graceSeconds(), GRACE, "grace");
        vm.assertEq(epochs.currentEpoch(), EPOCH, "epoch");
    }

    function test_commitBeforeOrWithinTheEpoch() public {
        bytes32 commitment = _commitment(EPOCH + 1);
        vm.expectEmit(address(epochs));
        emit IEpochs.Committed(coordinator, EPOCH + 1, commitment);
        _commit(EPOCH + 1);
        vm.assertEq(epochs.commitmentFor(coordinator, EPOCH + 1), commitment, "kept");
        vm.warp(_endOf(EPOCH) - 1);
        vm.prank(coordinator);
        epochs.commit(coordinator, EPOCH, commitment);
    }

    function test_commitRefuses() public {
        bytes32 commitment = _commitment(EPOCH);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.NotActing.selector, stranger, coordinator));
        vm.prank(stranger);
        epochs.commit(coordinator, EPOCH, commitment);
        vm.expectRevert(IEpochs.CommitmentZero.selector);
        vm.prank(coordinator);
        epochs.commit(coordinator, EPOCH, 0);
        _commit(EPOCH);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.AlreadyCommitted.selector, coordinator, EPOCH));
        vm.prank(coordinator);
        epochs.commit(coordinator, EPOCH, commitment);
        vm.warp(_endOf(EPOCH));
        vm.expectRevert(abi.encodeWithSelector(IEpochs.EpochOver.selector, EPOCH, _endOf(EPOCH)));
        vm.prank(coordinator);
        epochs.commit(coordinator, EPOCH, commitment);
    }

    function test_revealAfterTheEpoch() public {
        _commit(EPOCH);
        vm.warp(_endOf(EPOCH) - 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.EpochNotOver.selector, EPOCH, _endOf(EPOCH)));
        epochs.reveal(coordinator, EPOCH, SECRET);
        vm.warp(_endOf(EPOCH));
        vm.expectRevert(abi.encodeWithSelector(IEpochs.SecretInvalid.selector, coordinator, EPOCH));
        epochs.reveal(coordinator, EPOCH, keccak256("another"));
        vm.expectEmit(address(epochs));
        emit IEpochs.Revealed(coordinator, EPOCH, SECRET);
        vm.prank(stranger);
        epochs.reveal(coordinator, EPOCH, SECRET);
        vm.assertEq(epochs.commitmentFor(coordinator, EPOCH), 0, "deleted");
        vm.expectRevert(abi.encodeWithSelector(IEpochs.CommitmentUnknown.selector, coordinator, EPOCH));
        epochs.reveal(coordinator, EPOCH, SECRET);
    }

    function test_turnRevealsAndCommits() public {
        _commit(EPOCH);
        vm.warp(_endOf(EPOCH));
        bytes32 commitment = _commitment(EPOCH + 2);
        vm.prank(operator);
        epochs.turn(coordinator, EPOCH, SECRET, EPOCH + 2, commitment);
        vm.assertEq(epochs.commitmentFor(coordinator, EPOCH), 0, "revealed");
        vm.assertEq(epochs.commitmentFor(coordinator, EPOCH + 2), commitment, "committed");
    }

    function test_suspendWhoHasNotRevealed() public {
        _commit(EPOCH);
        uint64 overdueAt = _endOf(EPOCH) + GRACE;
        vm.warp(overdueAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.NotOverdue.selector, coordinator, EPOCH, overdueAt));
        epochs.suspend(coordinator, EPOCH);
        vm.warp(overdueAt);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.CommitmentUnknown.selector, coordinator, EPOCH + 1));
        epochs.suspend(coordinator, EPOCH + 1);
        vm.expectEmit(address(epochs));
        emit IEpochs.Overdue(coordinator, EPOCH);
        vm.prank(stranger);
        epochs.suspend(coordinator, EPOCH);
        vm.assertFalse(staking.isActive(coordinator), "suspended");
        vm.assertEq(epochs.overdueCount(coordinator), 1, "count");
        vm.expectRevert(abi.encodeWithSelector(IEpochs.AlreadyOverdue.selector, coordinator, EPOCH));
        epochs.suspend(coordinator, EPOCH);
    }

    function test_resumedWhenAllIsRevealed() public {
        _commit(EPOCH);
        _commit(EPOCH + 1);
        vm.warp(_endOf(EPOCH + 1) + GRACE);
        epochs.suspend(coordinator, EPOCH);
        epochs.suspend(coordinator, EPOCH + 1);
        vm.assertEq(epochs.overdueCount(coordinator), 2, "both");
        epochs.reveal(coordinator, EPOCH, SECRET);
        vm.assertFalse(staking.isActive(coordinator), "one is missing");
        // Whatever has become of the node.
        staking.setRole(coordinator, Role.None);
        epochs.reveal(coordinator, EPOCH + 1, SECRET);
        staking.setRole(coordinator, Role.Coordinator);
        vm.assertTrue(staking.isActive(coordinator), "resumed");
        vm.assertEq(epochs.overdueCount(coordinator), 0, "none");
    }
}
