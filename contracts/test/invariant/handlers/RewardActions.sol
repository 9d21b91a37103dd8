// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Role} from "../../../src/interfaces/Role.sol";
import {vm} from "../../utils/Vm.sol";
import {World} from "./World.sol";

/// @notice Streams, the pool, settlements and claims.
abstract contract RewardActions is World {
    function fund(bool miners, uint256 amountSeed) external counted {
        uint256 amountWei = _bound(amountSeed, 1, 100_000 ether);
        earnableWei += amountWei;
        vm.deal(address(this), amountWei);
        staking.fund{value: amountWei}(miners ? Role.Miner : Role.Coordinator);
        ++done[msg.sig];
    }

    function fundPool(uint256 amountSeed) external counted {
        uint256 amountWei = _bound(amountSeed, 1, 1_000 ether);
        vm.deal(address(this), amountWei);
        staking.fundPool{value: amountWei}();
        ++done[msg.sig];
    }

    function pour() external counted {
        earnableWei += staking.undistributedWei();
        staking.pour();
        ++done[msg.sig];
    }

    function settle(uint256 nodeSeed) external {
        _settleAt(_node(nodeSeed));
    }

    /// @dev By nobody: what all have stays the same.
    function _settleAt(address node) private step(address(0), node) {
        staking.settle(node);
        ++done[msg.sig];
    }

    function claim(uint256 nodeSeed, uint256 whoSeed) external {
        address node = _node(nodeSeed);
        _claimAs(node, _either(node, whoSeed));
    }

    function _claimAs(address node, address caller) internal step(node, node) {
        uint256 owedWei = staking.rewardsOf(node);
        uint256 freeWei = staking.getAccount(node).freeWei;
        vm.prank(caller);
        uint256 paidWei = staking.claim(node);
        claimedWei += paidWei;
        bool exact = paidWei == owedWei && staking.getAccount(node).freeWei == freeWei + paidWei;
        _must(exact, "claimedAndClaimableAreAtMostFunded: a claim pays something else than it shows");
        ++done[msg.sig];
    }
}
