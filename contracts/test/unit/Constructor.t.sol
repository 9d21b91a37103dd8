// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {Staking} from "../../src/Staking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

contract ConstructorTest is TestBase {
    function test_parameters() public view {
        vm.assertEq(uint256(staking.thawSeconds()), THAW, "thaw");
        vm.assertEq(uint256(staking.epochSeconds()), EPOCH, "epoch");
        vm.assertEq(staking.threshold(Role.Miner), 20_000 ether, "miner");
        vm.assertEq(staking.threshold(Role.Coordinator), 2_000_000 ether, "coordinator");
        vm.assertEq(staking.minVoteWei(), 1 ether, "minimum vote");
        vm.assertEq(staking.undistributedWei(), 0, "undistributed");
    }

    function test_bounds() public {
        _accepts(1 minutes, 10);
        _accepts(60 days, 30 days);
        _accepts(1 hours, 1 hours);
        _refuses(1 minutes - 1, 10, "thawSeconds");
        _refuses(60 days + 1, 1 hours, "thawSeconds");
        _refuses(7 days, 9, "epochSeconds");
        _refuses(60 days, 30 days + 1, "epochSeconds");
        // Bond that left would count for an epoch when nothing of it can be slashed any more.
        _refuses(1 hours, 1 hours + 1, "epochSeconds");
    }

    function test_thresholdOfNoRole() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.RoleInvalid.selector, 0));
        staking.threshold(Role.None);
    }

    function _accepts(uint64 thawSeconds, uint64 epochSeconds) private {
        Staking made = new Staking(thawSeconds, epochSeconds);
        vm.assertEq(uint256(made.thawSeconds()), thawSeconds, "thaw");
        vm.assertEq(uint256(made.epochSeconds()), epochSeconds, "epoch");
    }

    function _refuses(uint64 thawSeconds, uint64 epochSeconds, string memory name) private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.ParameterInvalid.selector, name));
        new Staking(thawSeconds, epochSeconds);
    }
}
