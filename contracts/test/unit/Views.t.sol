// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role, ThawKind} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract ViewsTest is TestBase {
    function test_strangerIsEmpty() public view {
        IStaking.NodeView memory node = staking.getNode(alice);
        vm.assertEq(node.owner, alice, "owner");
        vm.assertTrue(node.role == Role.None, "role");
        vm.assertEq(node.weightWei, 0, "weight");
        vm.assertFalse(staking.isActive(alice), "active");
        (address owner, uint64 validUntil) = staking.operatorRecord(alice);
        vm.assertEq(owner, address(0), "operator's node");
        vm.assertEq(uint256(validUntil), 0, "operator's validity");
        vm.assertEq(staking.getThaws(alice, 0, MAX).length, 0, "thaws");
        vm.assertEq(staking.getNodes(Role.None, 0, MAX).length, 0, "nodes of no role");
        vm.assertEq(staking.totalWeight(Role.None), 0, "weight of no role");
    }

    function test_getThawsPages() public {
        _registerMiner(alice);
        _vote(alice, alice, 10 ether);
        vm.startPrank(alice);
        staking.unbond(1 ether);
        staking.unvote(alice, 2 ether * VIRTUAL_SHARES, 0);
        _skip(10);
        staking.unbond(3 ether);
        vm.stopPrank();

        IStaking.ThawView[] memory thaws = staking.getThaws(alice, 0, MAX);
        vm.assertEq(thaws.length, 3, "all");
        _equals(thaws[0], 0, ThawKind.Bond, 1 ether, START + THAW);
        _equals(thaws[1], 1, ThawKind.Votes, 2 ether, START + THAW);
        _equals(thaws[2], 2, ThawKind.Bond, 3 ether, START + THAW + 10);

        thaws = staking.getThaws(alice, 1, 1);
        vm.assertEq(thaws.length, 1, "page");
        _equals(thaws[0], 1, ThawKind.Votes, 2 ether, START + THAW);
        vm.assertEq(staking.getThaws(alice, 3, 1).length, 0, "past the end");
        vm.assertEq(staking.getThaws(alice, 0, 0).length, 0, "none asked for");

        _skip(THAW);
        _withdraw(alice, 1);
        thaws = staking.getThaws(alice, 0, 2);
        vm.assertEq(thaws.length, 1, "withdrawn thaws are left out");
        _equals(thaws[0], 0, ThawKind.Bond, 1 ether, START + THAW);
    }

    function _equals(IStaking.ThawView memory thaw, uint256 id, ThawKind kind, uint256 amountWei, uint64 releaseAt)
        private
        view
    {
        vm.assertEq(thaw.id, id, "id");
        vm.assertEq(thaw.node, alice, "node");
        vm.assertTrue(thaw.kind == kind, "kind");
        vm.assertEq(thaw.amountWei, amountWei, "amount");
        vm.assertEq(uint256(thaw.releaseAt), releaseAt, "release");
    }

    function test_getNodesPages() public {
        _registerMiner(alice);
        _registerMiner(bob);
        _registerMiner(carol);
        _register(dave, Role.Coordinator, COORDINATOR_BOND);
        IStaking.NodeView[] memory nodes = staking.getNodes(Role.Miner, 0, MAX);
        vm.assertEq(nodes.length, 3, "miners");
        vm.assertEq(nodes[2].owner, carol, "third");
        nodes = staking.getNodes(Role.Miner, 1, 1);
        vm.assertEq(nodes.length, 1, "page");
        vm.assertEq(nodes[0].owner, bob, "second");
        vm.assertEq(nodes[0].bondWei, MINER_BOND, "a whole view");
        vm.assertEq(staking.getNodes(Role.Miner, 3, 1).length, 0, "past the end");
        vm.assertEq(staking.getNodes(Role.Coordinator, 0, 9)[0].owner, dave, "coordinator");
    }

    function test_epochs() public {
        uint64 epoch = staking.currentEpoch();
        vm.assertEq(uint256(epoch), START / EPOCH, "epoch");
        _registerMiner(alice);
        vm.assertEq(staking.activeBondAt(alice, epoch), MINER_BOND, "so far");
        vm.assertEq(staking.activeBondAt(alice, epoch - 1), 0, "before");
        _skip(EPOCH);
        vm.assertEq(staking.activeBondAt(alice, epoch), MINER_BOND, "untouched since");
        vm.assertEq(staking.activeBondAt(alice, epoch + 1), MINER_BOND, "now");
        vm.assertEq(staking.totalActiveBondAt(Role.Miner, epoch), MINER_BOND, "total");
        vm.assertEq(staking.totalActiveBondAt(Role.Coordinator, epoch), 0, "total of the other role");
    }

    function test_otherEpochsAreUnknown() public {
        uint64 epoch = staking.currentEpoch();
        bytes memory invalid = abi.encodeWithSelector(IStaking.ParameterInvalid.selector, "epoch");
        uint64[4] memory others = [0, epoch - 2, epoch + 1, FOREVER];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(invalid);
            staking.activeBondAt(alice, others[i]);
            vm.expectRevert(invalid);
            staking.totalActiveBondAt(Role.Miner, others[i]);
        }
    }

    /// @dev The digest by hand: wallets and the clients compute it from these strings.
    function test_registrationDigest() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Cuckoo"),
                keccak256("1"),
                block.chainid,
                address(staking)
            )
        );
        vm.assertEq(staking.domainSeparator(), domain, "domain");
        bytes32 content = keccak256(
            abi.encode(
                keccak256("Registration(address owner,address operator,uint8 role,uint256 nonce,uint64 deadline)"),
                alice,
                bob,
                uint8(2),
                uint256(3),
                uint64(4)
            )
        );
        vm.assertEq(
            staking.registrationDigest(alice, bob, Role.Coordinator, 3, 4),
            keccak256(abi.encodePacked("\x19\x01", domain, content)),
            "digest"
        );
    }
}
