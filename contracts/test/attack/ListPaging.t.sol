// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Nodes that leave must not push others off the list, show twice, or leave a hole.
contract ListPagingAttack is TestBase {
    uint256 private constant COUNT = 12;
    address[COUNT] private owners;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < COUNT; ++i) {
            owners[i] = vm.addr(1000 + i);
            _fund(owners[i], 10 * MINER_BOND);
            _registerMiner(owners[i]);
        }
    }

    function test_leaveFirstMiddleAndLast() public {
        _leave(0);
        _leave(5);
        _leave(COUNT - 1);
        _expectListed(COUNT - 3);
        _registerMiner(owners[5]);
        _expectListed(COUNT - 2);
    }

    function test_everybodyLeavesInEitherOrder() public {
        for (uint256 i = 0; i < COUNT / 2; ++i) {
            _leave(i);
            _leave(COUNT - 1 - i);
            _expectListed(COUNT - 2 - 2 * i);
        }
        for (uint256 i = 0; i < COUNT; ++i) {
            _registerMiner(owners[i]);
        }
        _expectListed(COUNT);
    }

    function test_theMovedOneLeavesToo() public {
        _leave(3);
        vm.assertEq(staking.getNodes(Role.Miner, 3, 1)[0].owner, owners[COUNT - 1], "the last took the place");
        vm.assertEq(uint256(staking.getNode(owners[COUNT - 1]).registeredAt), START, "and kept its date");
        _leave(COUNT - 1);
        _expectListed(COUNT - 2);
    }

    function _leave(uint256 i) private {
        vm.prank(owners[i]);
        staking.deregister();
    }

    /// @dev Every registered owner stands in the list exactly once, in any page size.
    function _expectListed(uint256 count) private view {
        vm.assertEq(staking.nodeCount(Role.Miner), count, "count");
        for (uint256 size = 1; size <= COUNT; size += 4) {
            bytes32 seen = 0;
            uint256 total = 0;
            for (uint256 offset = 0; offset < count; offset += size) {
                IStaking.NodeView[] memory page = staking.getNodes(Role.Miner, offset, size);
                for (uint256 i = 0; i < page.length; ++i) {
                    vm.assertTrue(page[i].role == Role.Miner, "a node that left is listed");
                    bytes32 bit = bytes32(1 << uint256(_indexOf(page[i].owner)));
                    vm.assertEq(seen & bit, 0, "listed twice");
                    seen |= bit;
                    ++total;
                }
            }
            vm.assertEq(total, count, "listed");
        }
    }

    function _indexOf(address owner) private view returns (uint256 index) {
        while (owners[index] != owner) ++index;
    }
}
