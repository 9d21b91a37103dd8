// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Epochs} from "../../src/Epochs.sol";
import {IEpochs} from "../../src/interfaces/IEpochs.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {PaymentsBase} from "../utils/PaymentsBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Coordinators that hide, change or borrow the secret of their draws.
contract EpochsAttack is PaymentsBase {
    uint64 private constant HOUR = 1 hours;
    uint64 private constant EPOCH = START / HOUR;
    bytes32 private constant SECRET = keccak256("secret");

    address private immutable copier = vm.addr(_key("copier"));
    Epochs private epochs;

    function setUp() public override {
        super.setUp();
        staking.wire(address(payments), address(this), _nextCreated());
        epochs = new Epochs(staking, HOUR, HOUR);
        staking.setNode{value: BOND}(copier, vm.addr(_key("copier's operator")), Role.Coordinator);
    }

    function _commit(address node, uint64 epoch, bytes32 commitment) private {
        vm.prank(node);
        epochs.commit(node, epoch, commitment);
    }

    function test_aHiddenSecretSuspends() public {
        _commit(coordinator, EPOCH, epochs.commitmentOf(coordinator, EPOCH, SECRET));
        vm.warp((EPOCH + 2) * HOUR);
        epochs.suspend(coordinator, EPOCH);
        // A later epoch, revealed in time, does not make it active again.
        _commit(coordinator, EPOCH + 2, epochs.commitmentOf(coordinator, EPOCH + 2, SECRET));
        vm.warp((EPOCH + 3) * HOUR);
        epochs.reveal(coordinator, EPOCH + 2, SECRET);
        vm.assertFalse(staking.isActive(coordinator), "still suspended");
        epochs.reveal(coordinator, EPOCH, SECRET);
        vm.assertTrue(staking.isActive(coordinator), "all revealed");
    }

    function test_aCopiedCommitmentCannotBeRevealed() public {
        bytes32 commitment = epochs.commitmentOf(coordinator, EPOCH, SECRET);
        _commit(coordinator, EPOCH, commitment);
        _commit(copier, EPOCH, commitment);
        vm.warp((EPOCH + 1) * HOUR);
        epochs.reveal(coordinator, EPOCH, SECRET);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.SecretInvalid.selector, copier, EPOCH));
        epochs.reveal(copier, EPOCH, SECRET);
        vm.warp((EPOCH + 2) * HOUR);
        epochs.suspend(copier, EPOCH);
        vm.assertFalse(staking.isActive(copier), "the copier");
        vm.assertTrue(staking.isActive(coordinator), "the copied");
    }

    /// @dev A secret that all know by its reveal serves no second epoch.
    function test_aCommitmentIsForOneEpoch() public {
        _commit(coordinator, EPOCH, epochs.commitmentOf(coordinator, EPOCH + 1, SECRET));
        vm.warp((EPOCH + 1) * HOUR);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.SecretInvalid.selector, coordinator, EPOCH));
        epochs.reveal(coordinator, EPOCH, SECRET);
    }

    function test_theSecretIsFixedOnce() public {
        _commit(coordinator, EPOCH, epochs.commitmentOf(coordinator, EPOCH, SECRET));
        bytes32 better = epochs.commitmentOf(coordinator, EPOCH, keccak256("better"));
        vm.expectRevert(abi.encodeWithSelector(IEpochs.AlreadyCommitted.selector, coordinator, EPOCH));
        _commit(coordinator, EPOCH, better);
        // Nor after the reveal, when the record is gone.
        vm.warp((EPOCH + 1) * HOUR);
        epochs.reveal(coordinator, EPOCH, SECRET);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.EpochOver.selector, EPOCH, (EPOCH + 1) * HOUR));
        _commit(coordinator, EPOCH, better);
    }

    /// @dev Else an epoch would be committed whose end is never reached, or wraps around into the past.
    function test_epochsBeyondTimeAreRefused() public {
        uint64[3] memory beyond = [type(uint64).max, type(uint64).max - 1, type(uint64).max / HOUR];
        for (uint256 i = 0; i < beyond.length; ++i) {
            vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
            _commit(coordinator, beyond[i], SECRET);
        }
    }

    function test_nobodyCommitsForAnother() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochs.NotActing.selector, copier, coordinator));
        vm.prank(copier);
        epochs.commit(coordinator, EPOCH, SECRET);
        _commit(coordinator, EPOCH, epochs.commitmentOf(coordinator, EPOCH, SECRET));
        vm.warp((EPOCH + 1) * HOUR);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.NotActing.selector, copier, coordinator));
        vm.prank(copier);
        epochs.turn(coordinator, EPOCH, SECRET, EPOCH + 1, SECRET);
    }

    /// @dev The secret is seen in the transaction that waits, and revealed before it.
    function test_aRevealInFrontDoesNotStopTheCommitment() public {
        _commit(coordinator, EPOCH, epochs.commitmentOf(coordinator, EPOCH, SECRET));
        bytes32 next = epochs.commitmentOf(coordinator, EPOCH + 1, keccak256("next"));
        vm.warp((EPOCH + 1) * HOUR);
        vm.prank(copier);
        epochs.reveal(coordinator, EPOCH, SECRET);
        vm.prank(coordinator);
        epochs.turn(coordinator, EPOCH, SECRET, EPOCH + 1, next);
        vm.assertEq(epochs.commitmentFor(coordinator, EPOCH + 1), next, "committed");
    }

    function test_nobodySuspendsForNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IEpochs.CommitmentUnknown.selector, coordinator, EPOCH - 9));
        epochs.suspend(coordinator, EPOCH - 9);
        _commit(coordinator, EPOCH, epochs.commitmentOf(coordinator, EPOCH, SECRET));
        vm.warp((EPOCH + 1) * HOUR);
        epochs.reveal(coordinator, EPOCH, SECRET);
        vm.warp((EPOCH + 9) * HOUR);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.CommitmentUnknown.selector, coordinator, EPOCH));
        epochs.suspend(coordinator, EPOCH);
    }
}
