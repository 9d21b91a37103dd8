// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Court} from "../../../src/Court.sol";
import {Epochs} from "../../../src/Epochs.sol";
import {Payments} from "../../../src/Payments.sol";
import {ThawKind} from "../../../src/interfaces/IStaking.sol";
import {Role} from "../../../src/interfaces/Role.sol";
import {StakingHarness} from "../../utils/StakingHarness.sol";
import {vm} from "../../utils/Vm.sol";
import {CourtActions} from "./CourtActions.sol";
import {PaymentActions} from "./PaymentActions.sol";
import {RewardActions} from "./RewardActions.sol";
import {StakeActions} from "./StakeActions.sol";
import {TimeActions} from "./TimeActions.sol";

/// @notice All that the ten accounts do, and how they leave.
contract NetworkHandler is StakeActions, RewardActions, PaymentActions, CourtActions, TimeActions {
    /// @dev Begins where it is interesting: nodes with votes, escrow and streams, and bonds that count for juries.
    constructor() {
        setUp();
        for (uint256 i = 0; i < NODES; ++i) {
            (Role role, uint256 bondWei) =
                i < MINERS ? (Role.Miner, MINER_BOND * (i + 1)) : (Role.Coordinator, COORDINATOR_BOND);
            _registerAs(actors[i], role, bondWei, uint16(2_000 * (i % 6)));
        }
        for (uint256 i = MINERS; i < NODES; ++i) {
            _deposit(actors[i], 10_000 ether);
        }
        for (uint256 i = 0; i < 2; ++i) {
            vm.deal(address(this), 1_000_000 ether);
            earnableWei += 1_000_000 ether;
            staking.fund{value: 1_000_000 ether}(i == 0 ? Role.Miner : Role.Coordinator);
        }
        _skip(BOND_EPOCH + 7);
    }

    function network() external view returns (StakingHarness, Payments, Court, Epochs) {
        return (harness, payments, court, epochs);
    }

    /// @notice A miner is challenged half an hour before all of its bond is out: the freeze must hold what the verdict may take.
    function leaveUnderSuspicion(uint256 coordinatorSeed, uint256 minerSeed, uint256 whoSeed) external {
        address miner = _minerOf(minerSeed);
        (uint256 bondWei,) = staking.bondOf(miner);
        if (whoSeed % 4 != 0 || bondWei == 0 || exits[miner].length >= MOST_EXITS) return;
        if (staking.roleOf(miner) != Role.Miner) return;
        _unbondAs(miner, bondWei);
        uint256 id = staking.thawId(miner, ThawKind.Bond, _now() + THAW);
        _skip(THAW - 30 minutes);
        bool challenged = _challenge(coordinatorSeed, minerSeed, 0, whoSeed);
        _skip(1 hours);
        uint256 pick = 0;
        while (exits[miner][pick].id != id) ++pick;
        _withdrawRipe(miner, pick);
        if (challenged) ++done[msg.sig];
    }

    /// @notice Everybody leaves, in an order that the seed picks, and takes all. Reverts when somebody cannot.
    function everybodyLeaves(uint256 seed) external {
        _closeAll(seed);
        _withdrawCredits();
        _revealAll();
        _noticeAll();
        _skip(THAW);
        _freeEscrow(seed);
        for (uint256 i = 0; i < ACTORS; ++i) {
            _exit(actors[(i + seed % ACTORS) % ACTORS], seed >> 8);
        }
        _skip(THAW);
        _withdrawEscrows();
        _withdrawCuts();
        for (uint256 i = 0; i < NODES; ++i) {
            _claimAs(actors[(i + (seed >> 16)) % NODES], actors[(i + (seed >> 16)) % NODES]);
        }
        // One exit each in turn, so that the accounts take turns at every pool.
        for (uint256 k = 0; k < MOST_EXITS + NODES + 1; ++k) {
            for (uint256 i = 0; i < ACTORS; ++i) {
                address actor = actors[(i + (seed >> 24)) % ACTORS];
                uint256 left = exits[actor].length;
                if (left != 0) _withdrawRipe(actor, _mix(seed, k) % left);
            }
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            _must(exits[actors[i]].length == 0, "everyExitCanBeWithdrawn: an exit is left");
            vm.prank(actors[i]);
            staking.withdraw(new uint256[](0), MAX, payable(actors[i]));
        }
    }

    function _exit(address actor, uint256 seed) private {
        for (uint256 k = 0; k < NODES; ++k) {
            address node = actors[(k + seed % NODES) % NODES];
            (uint256 shares,) = staking.votesOf(actor, node);
            if (shares != 0) _unvoteAs(actor, node, shares);
        }
        if (_isRegistered(actor)) _deregisterAs(actor);
    }
}
