// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking, Role, StakingParameters} from "../../src/interfaces/IStaking.sol";
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

    function test_boundsOfRewardsAndFreeze() public {
        StakingParameters memory parameters = _parameters();
        parameters.rewardSeconds = 1 minutes;
        parameters.dripSeconds = 1;
        parameters.freezeSeconds = 1;
        _accepts(parameters);
        parameters.rewardSeconds = 365 days;
        parameters.dripSeconds = 30 days;
        parameters.freezeSeconds = THAW - 1;
        _accepts(parameters);

        parameters.rewardSeconds = 365 days + 1;
        _refuses(parameters, "rewardSeconds");
        parameters.rewardSeconds = 1 minutes - 1;
        _refuses(parameters, "rewardSeconds");
        parameters = _parameters();
        parameters.dripSeconds = 0;
        _refuses(parameters, "dripSeconds");
        parameters.dripSeconds = 30 days + 1;
        _refuses(parameters, "dripSeconds");
        parameters = _parameters();
        parameters.freezeSeconds = 0;
        _refuses(parameters, "freezeSeconds");
        parameters.freezeSeconds = THAW;
        _refuses(parameters, "freezeSeconds");
    }

    function test_everyContractHasAnAddress() public {
        StakingParameters memory parameters = _parameters();
        parameters.payments = address(0);
        _refuses(parameters, "payments");
        parameters = _parameters();
        parameters.court = address(0);
        _refuses(parameters, "court");
        parameters = _parameters();
        parameters.epochs = address(0);
        _refuses(parameters, "epochs");
    }

    function test_thresholdOfNoRole() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.RoleInvalid.selector, 0));
        staking.threshold(Role.None);
    }

    function _of(uint64 thawSeconds, uint64 epochSeconds) private view returns (StakingParameters memory parameters) {
        parameters = _parameters();
        (parameters.thawSeconds, parameters.epochSeconds, parameters.freezeSeconds) = (thawSeconds, epochSeconds, 1);
    }

    function _accepts(uint64 thawSeconds, uint64 epochSeconds) private {
        _accepts(_of(thawSeconds, epochSeconds));
    }

    function _accepts(StakingParameters memory parameters) private {
        Staking made = new Staking(parameters);
        vm.assertEq(uint256(made.thawSeconds()), parameters.thawSeconds, "thaw");
        vm.assertEq(uint256(made.epochSeconds()), parameters.epochSeconds, "epoch");
        vm.assertEq(uint256(made.rewardSeconds()), parameters.rewardSeconds, "reward period");
        vm.assertEq(uint256(made.dripSeconds()), parameters.dripSeconds, "drip");
        vm.assertEq(uint256(made.freezeSeconds()), parameters.freezeSeconds, "freeze");
        vm.assertEq(made.payments(), parameters.payments, "payments");
        vm.assertEq(made.court(), parameters.court, "court");
        vm.assertEq(made.epochs(), parameters.epochs, "epochs");
    }

    function _refuses(uint64 thawSeconds, uint64 epochSeconds, string memory name) private {
        _refuses(_of(thawSeconds, epochSeconds), name);
    }

    function _refuses(StakingParameters memory parameters, string memory name) private {
        vm.expectRevert(abi.encodeWithSelector(IStaking.ParameterInvalid.selector, name));
        new Staking(parameters);
    }
}
