// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Court} from "../../src/Court.sol";
import {Epochs} from "../../src/Epochs.sol";
import {Payments} from "../../src/Payments.sol";
import {Staking} from "../../src/Staking.sol";
import {CourtParameters, ICourt} from "../../src/interfaces/ICourt.sol";
import {IEpochs} from "../../src/interfaces/IEpochs.sol";
import {IPayments} from "../../src/interfaces/IPayments.sol";
import {StakingParameters} from "../../src/interfaces/IStaking.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {Network} from "../utils/Network.sol";
import {vm} from "../utils/Vm.sol";

/// @notice The deployment attacked: somebody else's contracts at the named addresses, addresses that are wrong, contracts of two
/// deployments mixed; and everybody but the named contracts at the doors between them.
contract WiringAttack is Network {
    address private constant MALLORY = address(0xbad);

    bytes private constant INVALID = abi.encodeWithSelector(IPayments.ParameterInvalid.selector, "staking");

    /// @dev Addresses that this contract's next creations but one have, moved by `shift`.
    function _predicted(uint256 shift) private view returns (StakingParameters memory) {
        uint256 nonce = vm.getNonce(address(this)) + 1 + shift;
        return StakingParameters({
            thawSeconds: THAW,
            epochSeconds: BOND_EPOCH,
            rewardSeconds: REWARD,
            dripSeconds: DRIP,
            freezeSeconds: FREEZE,
            payments: vm.computeCreateAddress(address(this), nonce),
            court: vm.computeCreateAddress(address(this), nonce + 1),
            epochs: vm.computeCreateAddress(address(this), nonce + 2)
        });
    }

    // ---- addresses ----

    /// @dev Between two transactions of the deployment, somebody else creates the contracts: they are not the named ones.
    function test_aFrontRunnerCannotTakeAPlace() public {
        Staking fresh = new Staking(_predicted(0));
        vm.startPrank(MALLORY);
        vm.expectRevert(INVALID);
        new Payments(fresh, TOP_UP);
        vm.expectRevert(INVALID);
        new Court(fresh, randomness, _courtParameters());
        vm.expectRevert(INVALID);
        new Epochs(fresh, DRAW, GRACE);
        vm.stopPrank();
        // It changed nothing for the deployment.
        vm.assertEq(address(new Payments(fresh, TOP_UP)), fresh.payments(), "payments");
        vm.assertEq(address(new Court(fresh, randomness, _courtParameters())), fresh.court(), "court");
        vm.assertEq(address(new Epochs(fresh, DRAW, GRACE)), fresh.epochs(), "epochs");
    }

    /// @dev A transaction too many, or one lost, fails at the first contract.
    function test_aWrongNonceFailsAtOnce() public {
        Staking fresh = new Staking(_predicted(1));
        vm.expectRevert(INVALID);
        new Payments(fresh, TOP_UP);
    }

    function test_theOrderOfTheContractsMatters() public {
        Staking fresh = new Staking(_predicted(0));
        vm.expectRevert(INVALID);
        new Court(fresh, randomness, _courtParameters());
        vm.expectRevert(INVALID);
        new Epochs(fresh, DRAW, GRACE);
        vm.expectRevert(INVALID);
        new Payments(fresh, TOP_UP);
    }

    /// @dev A second deployment's contracts cannot attach to this one's stake, at whatever address.
    function test_aContractThatNamesAnotherStaking() public {
        Staking second = new Staking(_predicted(0));
        vm.assertEq(second.payments(), vm.computeCreateAddress(address(this), vm.getNonce(address(this))), "its place");
        vm.expectRevert(INVALID);
        new Payments(staking, TOP_UP);
        vm.assertEq(second.court(), vm.computeCreateAddress(address(this), vm.getNonce(address(this))), "its place");
        vm.expectRevert(INVALID);
        new Court(staking, randomness, _courtParameters());
        vm.assertEq(second.epochs(), vm.computeCreateAddress(address(this), vm.getNonce(address(this))), "its place");
        vm.expectRevert(INVALID);
        new Epochs(staking, DRAW, GRACE);
    }

    // ---- windows, against the staking contract's own ----

    function test_paymentsRefusesABadWindow() public {
        bytes memory invalid = abi.encodeWithSelector(IPayments.ParameterInvalid.selector, "topUpSeconds");
        _refusePayments(0, invalid);
        _refusePayments(THAW, invalid);
        _refusePayments(type(uint64).max, invalid);
        Staking fresh = new Staking(_predicted(0));
        new Payments(fresh, THAW - 1);
    }

    function _refusePayments(uint64 topUpSeconds, bytes memory reason) private {
        Staking fresh = new Staking(_predicted(0));
        vm.expectRevert(reason);
        new Payments(fresh, topUpSeconds);
    }

    function test_epochsRefusesBadWindows() public {
        bytes memory draw = abi.encodeWithSelector(IEpochs.ParameterInvalid.selector, "drawSeconds");
        bytes memory grace = abi.encodeWithSelector(IEpochs.ParameterInvalid.selector, "graceSeconds");
        _refuseEpochs(0, GRACE, draw);
        _refuseEpochs(DRAW, 0, grace);
        _refuseEpochs(DRAW, THAW - DRAW, grace);
        _refuseEpochs(type(uint64).max, type(uint64).max, grace);
        new Epochs(_epochsPlace(), DRAW, THAW - DRAW - 1);
    }

    /// @dev A staking contract whose epochs contract is created next.
    function _epochsPlace() private returns (Staking) {
        StakingParameters memory parameters = _predicted(0);
        (parameters.payments, parameters.epochs) = (parameters.epochs, parameters.payments);
        return new Staking(parameters);
    }

    function _refuseEpochs(uint64 draw, uint64 grace, bytes memory reason) private {
        Staking fresh = _epochsPlace();
        vm.expectRevert(reason);
        new Epochs(fresh, draw, grace);
    }

    /// @dev The real contract's thaw, epoch and freeze against a court's windows; each boundary is in CourtParametersTest.
    function test_courtRefusesWindowsThatOutliveTheStake() public {
        CourtParameters memory given = _courtParameters();
        given.evidenceSeconds = 3 days;
        _refuseCourt(_predicted(0), given, "thawSeconds");
        StakingParameters memory parameters = _predicted(0);
        parameters.freezeSeconds = 4 days;
        _refuseCourt(parameters, _courtParameters(), "freezeSeconds");
        parameters = _predicted(0);
        parameters.epochSeconds = 1 days;
        _refuseCourt(parameters, _courtParameters(), "epochSeconds");
        given = _courtParameters();
        given.jailSeconds = 0;
        _refuseCourt(_predicted(0), given, "jailSeconds");
    }

    function _refuseCourt(StakingParameters memory parameters, CourtParameters memory given, string memory name)
        private
    {
        uint256 nonce = vm.getNonce(address(this)) + 1;
        parameters.court = vm.computeCreateAddress(address(this), nonce);
        Staking fresh = new Staking(parameters);
        vm.expectRevert(abi.encodeWithSelector(ICourt.ParameterInvalid.selector, name));
        new Court(fresh, randomness, given);
    }

    // ---- doors ----

    /// @dev Every hook, asked by everybody who is not its one caller: the other contracts, the account that deployed, a node's own
    /// owner and operator, a stranger, the staking contract itself.
    function test_onlyTheNamedContractsMayCallHooks() public {
        address node = _registerCoordinator("node");
        _refuseAll(node, address(court), abi.encodeCall(IStakingHooks.slash, (node, 1 ether, 0, 0, 1)));
        _refuseAll(node, address(court), abi.encodeCall(IStakingHooks.jail, (node, START)));
        _refuseAll(node, address(court), abi.encodeCall(IStakingHooks.freeze, (node, 1 ether, START)));
        _refuseAll(node, address(payments), abi.encodeCall(IStakingHooks.creditIncome, (node)));
        _refuseAll(node, address(payments), abi.encodeCall(IStakingHooks.claimBond, (node, 1)));
        _refuseAll(node, address(payments), abi.encodeCall(IStakingHooks.payClaim, (node, 1, 0, node)));
        _refuseAll(node, address(payments), abi.encodeCall(IStakingHooks.returnClaim, (node, 1, 0)));
        _refuseAll(node, address(payments), abi.encodeCall(IStakingHooks.penalise, (node, 1)));
        _refuseAll(node, address(epochs), abi.encodeCall(IStakingHooks.suspend, (node)));
        _refuseAll(node, address(epochs), abi.encodeCall(IStakingHooks.resume, (node)));
        vm.assertTrue(staking.isActive(node), "stands");
        vm.assertEq(_bond(node), COORDINATOR_BOND - 1 ether - 2, "what the one allowed caller of each hook did");
    }

    function _refuseAll(address node, address allowed, bytes memory hook) private {
        address[8] memory callers = [
            address(court),
            address(payments),
            address(epochs),
            address(staking),
            address(this),
            node,
            _operator(node),
            MALLORY
        ];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            (bool passed, bytes memory answer) = address(staking).call(hook);
            if (callers[i] == allowed) {
                vm.assertTrue(passed, "the one that may");
                if (bytes4(hook) == IStakingHooks.jail.selector) _rejoin(node);
                continue;
            }
            vm.assertFalse(passed, "somebody else passed");
            bytes memory reason = abi.encodeWithSelector(IStakingHooks.CallerInvalid.selector, callers[i]);
            vm.assertEq(keccak256(answer), keccak256(reason), "refused for who it is");
        }
    }

    function _rejoin(address node) private {
        vm.prank(node);
        staking.rejoin(node);
    }

    /// @dev Value is taken only where it is accounted for.
    function test_plainValueIsRefused() public {
        vm.deal(MALLORY, 5 ether);
        vm.deal(address(payments), 1 ether);
        address[4] memory targets = [address(staking), address(payments), address(court), address(epochs)];
        for (uint256 i = 0; i < targets.length; ++i) {
            vm.prank(MALLORY);
            (bool passed,) = targets[i].call{value: 1 ether}("");
            vm.assertFalse(passed, "from anybody");
        }
        vm.prank(address(payments));
        (bool toCourt,) = address(court).call{value: 1 ether}("");
        vm.assertFalse(toCourt, "the court takes slashes' money alone");
        vm.deal(address(staking), 1 ether);
        vm.prank(address(staking));
        (toCourt,) = address(court).call{value: 1 ether}("");
        vm.assertTrue(toCourt, "from staking");
    }
}
