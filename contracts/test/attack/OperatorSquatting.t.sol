// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Taking an operator key that is not one's own, before or after its owner registers, or getting one's own back early.
contract OperatorSquattingAttack is TestBase {
    /// @dev Mallory sees alice's registration in flight and copies operator and signature under its own name.
    function test_frontRunARegistration() public {
        uint256 key = _operatorKey(alice, 0);
        bytes memory signature = _signRegistration(key, alice, Role.Miner, FOREVER);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.OperatorSignatureInvalid.selector, vm.addr(key)));
        staking.register{value: MINER_BOND}(Role.Miner, vm.addr(key), 0, MINER_BOND, _profile(), FOREVER, signature);
        _registerMiner(alice);
    }

    /// @dev Without the key there is no squatting, even on an address that nobody uses yet.
    function test_squatOnAnUnusedKey() public {
        bytes32 digest = staking.registrationDigest(bob, carol, Role.Miner, 0, FOREVER);
        bytes memory signature = _sign(_key("bob"), digest);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.OperatorSignatureInvalid.selector, carol));
        staking.register{value: MINER_BOND}(Role.Miner, carol, 0, MINER_BOND, _profile(), FOREVER, signature);
    }

    /// @dev Even with the key (stolen, or shared by a careless operator) it stays bound to its first owner for ever.
    function test_aKeyBelongsToOneOwnerForEver() public {
        _registerMiner(alice);
        uint256 key = _operatorKey(alice, 0);
        _refuseTo(bob, key);
        _setOperator(alice, _operatorKey(alice, 1));
        _refuseTo(bob, key);
        vm.prank(alice);
        staking.deregister();
        _skip(1000 * THAW);
        _refuseTo(bob, key);
        _registerMiner(bob);
        bytes memory signature = _signRegistration(key, bob, Role.Miner, FOREVER);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStaking.OperatorTaken.selector, vm.addr(key), alice));
        staking.setOperator(vm.addr(key), FOREVER, signature);
    }

    /// @dev A stolen operator key moves no money, renames nothing, and cannot keep itself in office.
    function test_aStolenOperatorKeyDoesNothingOnChain() public {
        _registerMiner(alice);
        address operator = _operator(alice);
        bytes memory notRegistered = abi.encodeWithSelector(IStaking.NotRegistered.selector, operator);
        vm.startPrank(operator);
        vm.expectRevert(notRegistered);
        staking.deregister();
        vm.expectRevert(notRegistered);
        staking.setOperator(operator, FOREVER, "");
        vm.expectRevert(notRegistered);
        staking.setProfile(_profile());
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientBond.selector, 0, 1));
        staking.unbond(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientFree.selector, 0, 1));
        staking.withdraw(_ids(), 1, payable(operator));
        vm.stopPrank();
        _setOperator(alice, _operatorKey(alice, 1));
        (, uint64 validUntil) = staking.operatorRecord(operator);
        vm.assertEq(uint256(validUntil), START + THAW, "its signatures run out");
    }

    /// @dev A key that was rotated away does not gain time by later rotations or by leaving.
    function test_anOldKeyGainsNoTime() public {
        _registerMiner(alice);
        _setOperator(alice, _operatorKey(alice, 1));
        _skip(1 days);
        _setOperator(alice, _operatorKey(alice, 2));
        _skip(1 days);
        vm.prank(alice);
        staking.deregister();
        _expectValidUntil(0, START + THAW);
        _expectValidUntil(1, START + 1 days + THAW);
        _expectValidUntil(2, START + 2 days + THAW);
    }

    function _expectValidUntil(uint256 number, uint256 expected) private view {
        (address owner, uint64 validUntil) = staking.operatorRecord(vm.addr(_operatorKey(alice, number)));
        vm.assertEq(owner, alice, "owner");
        vm.assertEq(uint256(validUntil), expected, "valid until");
    }

    function _refuseTo(address owner, uint256 key) private {
        bytes memory signature = _signRegistration(key, owner, Role.Miner, FOREVER);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IStaking.OperatorTaken.selector, vm.addr(key), alice));
        staking.register{value: MINER_BOND}(Role.Miner, vm.addr(key), 0, MINER_BOND, _profile(), FOREVER, signature);
    }
}
