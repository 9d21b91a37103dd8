// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Profile, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract RegisterTest is TestBase {
    function test_registerWithValue() public {
        uint256 key = _operatorKey(alice, 0);
        address operator = vm.addr(key);
        Profile memory profile = _profile();
        bytes memory signature = _signRegistration(key, alice, Role.Miner, FOREVER);

        vm.expectEmit(address(staking));
        emit IStaking.Staked(alice, MINER_BOND + 1 ether);
        vm.expectEmit(address(staking));
        emit IStaking.OperatorSet(alice, operator, address(0));
        vm.expectEmit(address(staking));
        emit IStaking.NodeRegistered(alice, Role.Miner, operator, MINER_BOND, 7_000);
        vm.expectEmit(address(staking));
        emit IStaking.ProfileSet(alice, profile.name, profile.url, profile.description);
        vm.expectEmit(address(staking));
        emit IStaking.Bonded(alice, MINER_BOND, MINER_BOND);
        vm.expectEmit(address(staking));
        emit IStaking.NodeWeightChanged(alice, Role.Miner, true, MINER_BOND, 0, MINER_BOND);
        vm.prank(alice);
        staking.register{value: MINER_BOND + 1 ether}(
            Role.Miner, operator, 7_000, MINER_BOND, profile, FOREVER, signature
        );

        IStaking.NodeView memory node = staking.getNode(alice);
        vm.assertEq(node.owner, alice, "owner");
        vm.assertTrue(node.role == Role.Miner, "role");
        vm.assertTrue(node.active, "active");
        vm.assertEq(node.operator, operator, "operator");
        vm.assertEq(uint256(node.voterShareBps), 7_000, "voter share");
        vm.assertEq(uint256(node.registeredAt), START, "registered at");
        vm.assertEq(node.bondWei, MINER_BOND, "bond");
        vm.assertEq(node.votesWei, 0, "votes");
        vm.assertEq(node.voteShares, 0, "shares");
        vm.assertEq(node.weightWei, MINER_BOND, "weight");
        vm.assertEq(node.nonce, 1, "nonce");
        vm.assertEq(node.profileHash, bytes12(keccak256(abi.encode(profile))), "profile");
        vm.assertEq(_free(alice), 1 ether, "free");
        (address owner, uint64 validUntil) = staking.operatorRecord(operator);
        vm.assertEq(owner, alice, "operator's node");
        vm.assertEq(uint256(validUntil), FOREVER, "operator's validity");
    }

    function test_registerFromFree() public {
        _stake(alice, 3_000_000 ether);
        bytes memory signature = _signRegistration(_operatorKey(alice, 0), alice, Role.Coordinator, START);
        vm.prank(alice);
        staking.register(Role.Coordinator, _operator(alice), 10_000, COORDINATOR_BOND, _profile(), START, signature);
        vm.assertEq(_free(alice), 500_000 ether, "free");
        vm.assertTrue(staking.isActive(alice), "active");
        vm.assertEq(staking.nodeCount(Role.Coordinator), 1, "coordinators");
        vm.assertEq(staking.nodeCount(Role.Miner), 0, "miners");
    }

    function test_operatorMayBeTheOwner() public {
        bytes memory signature = _signRegistration(_key("alice"), alice, Role.Miner, FOREVER);
        vm.prank(alice);
        staking.register{value: MINER_BOND}(Role.Miner, alice, 0, MINER_BOND, _profile(), FOREVER, signature);
        vm.assertEq(staking.getNode(alice).operator, alice, "operator");
    }

    function test_registerAgainAfterLeaving() public {
        _registerMiner(alice);
        vm.prank(alice);
        staking.deregister();
        _skip(5);
        _registerMiner(alice);
        IStaking.NodeView memory node = staking.getNode(alice);
        vm.assertEq(node.nonce, 2, "nonce");
        vm.assertEq(uint256(node.registeredAt), START + 5, "registered at");
        (, uint64 validUntil) = staking.operatorRecord(node.operator);
        vm.assertEq(uint256(validUntil), FOREVER, "the same operator counts again");
    }

    // ---- reverts ----

    function test_registerTwice() public {
        _registerMiner(alice);
        _expect(abi.encodeWithSelector(IStaking.AlreadyRegistered.selector, alice));
        _try(Role.Miner, _operatorKey(alice, 0), 0, MINER_BOND, _profile(), FOREVER);
    }

    function test_registerAsNothing() public {
        _expect(abi.encodeWithSelector(IStaking.RoleInvalid.selector, 0));
        _try(Role.None, _operatorKey(alice, 0), 0, MINER_BOND, _profile(), FOREVER);
    }

    function test_registerWithTooLittle() public {
        _expect(abi.encodeWithSelector(IStaking.BondTooLow.selector, MINER_THRESHOLD, MINER_THRESHOLD));
        _try(Role.Miner, _operatorKey(alice, 0), 0, MINER_THRESHOLD, _profile(), FOREVER);
        _expect(abi.encodeWithSelector(IStaking.BondTooLow.selector, COORDINATOR_THRESHOLD, COORDINATOR_THRESHOLD));
        _try(Role.Coordinator, _operatorKey(alice, 0), 0, COORDINATOR_THRESHOLD, _profile(), FOREVER);
    }

    function test_registerWithoutTheMoney() public {
        bytes memory signature = _signRegistration(_operatorKey(alice, 0), alice, Role.Miner, FOREVER);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientFree.selector, MINER_BOND - 1, MINER_BOND));
        staking.register{value: MINER_BOND - 1}(
            Role.Miner, _operator(alice), 0, MINER_BOND, _profile(), FOREVER, signature
        );
    }

    function test_registerWithTooHighAVoterShare() public {
        _expect(abi.encodeWithSelector(IStaking.VoterShareTooHigh.selector, 10_001));
        _try(Role.Miner, _operatorKey(alice, 0), 10_001, MINER_BOND, _profile(), FOREVER);
    }

    function test_registerWithoutAnOperator() public {
        vm.prank(alice);
        vm.expectRevert(IStaking.OperatorZero.selector);
        staking.register{value: MINER_BOND}(Role.Miner, address(0), 0, MINER_BOND, _profile(), FOREVER, "");
    }

    function test_profileBounds() public {
        Profile memory profile = Profile(_text(64), _text(256), _text(1024));
        _try(Role.Miner, _operatorKey(alice, 0), 0, MINER_BOND, profile, FOREVER);
        vm.prank(alice);
        staking.setProfile(Profile("a", "", ""));

        _refusesProfile(Profile("", "", ""), "name", 0, 64);
        _refusesProfile(Profile(_text(65), "", ""), "name", 65, 64);
        _refusesProfile(Profile("a", _text(257), ""), "url", 257, 256);
        _refusesProfile(Profile("a", "", _text(1025)), "description", 1025, 1024);
    }

    function _refusesProfile(Profile memory profile, string memory field, uint256 length, uint256 maximum) private {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ProfileInvalid.selector, field, length, maximum));
        staking.setProfile(profile);
    }

    function _text(uint256 length) private pure returns (string memory) {
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = "x";
        }
        return string(text);
    }

    bytes private _expected;

    /// @dev Kept until the call itself: reading the nonce for the signature is a call too.
    function _expect(bytes memory data) private {
        _expected = data;
    }

    function _try(
        Role role,
        uint256 key,
        uint16 voterShareBps,
        uint256 bondWei,
        Profile memory profile,
        uint64 deadline
    ) private {
        bytes memory signature = _signRegistration(key, alice, role, deadline);
        vm.prank(alice);
        if (_expected.length != 0) vm.expectRevert(_expected);
        staking.register{value: bondWei}(role, vm.addr(key), voterShareBps, bondWei, profile, deadline, signature);
    }
}
