// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Court} from "../../src/Court.sol";
import {CourtParameters, ICourt} from "../../src/interfaces/ICourt.sol";
import {IStakingHooks} from "../../src/interfaces/IStakingHooks.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {RandomnessMock} from "../utils/RandomnessMock.sol";
import {vm} from "../utils/Vm.sol";

/// @dev What the constructor reads of the staking contract.
contract Windows {
    uint64 public thawSeconds = 7 days;
    uint64 public epochSeconds = 2 days;
    uint64 public freezeSeconds = 5 days;
    bytes32 public domainSeparator;
    address public court;

    function set(uint64 thawSeconds_, uint64 epochSeconds_, uint64 freezeSeconds_) external {
        (thawSeconds, epochSeconds, freezeSeconds) = (thawSeconds_, epochSeconds_, freezeSeconds_);
    }

    function wire(address court_) external {
        court = court_;
    }
}

/// @notice Windows that do not fit, juries that can tie.
contract CourtParametersTest is CourtBase {
    Windows private windows;

    function setUp() public override {
        super.setUp();
        windows = new Windows();
    }

    /// @dev The public chains' parameters of the README, and each boundary.
    function _public() private pure returns (CourtParameters memory) {
        return CourtParameters({
            evidenceSeconds: 2 days,
            sealSeconds: 10 minutes,
            commitSeconds: 12 hours,
            revealSeconds: 12 hours,
            appealSeconds: 12 hours,
            jailSeconds: 7 days,
            jurorFeeWei: 1,
            seats: [uint256(7), 15, 63]
        });
    }

    function test_publicParametersFit() public {
        _accept(_public());
    }

    function test_nothingIsZero() public {
        CourtParameters memory given = _public();
        given.evidenceSeconds = 0;
        _refuse(given, "evidenceSeconds");
        given = _public();
        given.sealSeconds = 0;
        _refuse(given, "sealSeconds");
        given = _public();
        given.commitSeconds = 0;
        _refuse(given, "commitSeconds");
        given = _public();
        given.revealSeconds = 0;
        _refuse(given, "revealSeconds");
        given = _public();
        given.appealSeconds = 0;
        _refuse(given, "appealSeconds");
        given = _public();
        given.jailSeconds = 0;
        _refuse(given, "jailSeconds");
        given = _public();
        given.jurorFeeWei = 0;
        _refuse(given, "jurorFeeWei");
        given.jurorFeeWei = uint256(type(uint96).max) + 1;
        _refuse(given, "jurorFeeWei");
        given.jurorFeeWei = type(uint96).max;
        _accept(given);
    }

    function test_juriesAreOddAndRising() public {
        _refuseSeats(8, 15, 63);
        _refuseSeats(7, 16, 63);
        _refuseSeats(7, 15, 64);
        _refuseSeats(15, 15, 63);
        _refuseSeats(7, 63, 63);
        _refuseSeats(7, 15, 65_537);
        CourtParameters memory given = _public();
        given.seats = [uint256(1), 3, 65_535];
        _accept(given);
    }

    function test_evidenceAndDisputeEndBeforeTheThaw() public {
        CourtParameters memory given = _public();
        given.evidenceSeconds = 7 days - 3 * (10 minutes + 36 hours);
        _refuse(given, "thawSeconds");
        given.evidenceSeconds -= 1;
        _accept(given);
    }

    function test_oneDisputeFitsTheFreezeAndThatTheThaw() public {
        uint64 dispute = 3 * (10 minutes + 36 hours);
        windows.set(7 days, 2 days, dispute - 1);
        _refuse(_public(), "freezeSeconds");
        windows.set(7 days, 2 days, 7 days);
        _refuse(_public(), "freezeSeconds");
        windows.set(7 days, 2 days, dispute);
        _accept(_public());
        windows.set(7 days, 2 days, 7 days - 1);
        _accept(_public());
    }

    function test_aRoundFitsAnEpoch() public {
        windows.set(7 days, 24 hours + 10 minutes - 1, 5 days);
        _refuse(_public(), "epochSeconds");
        windows.set(7 days, 24 hours + 10 minutes, 5 days);
        _accept(_public());
    }

    function test_randomnessIsAContract() public {
        randomness = RandomnessMock(stranger);
        _refuse(_public(), "randomness");
    }

    function _wire(CourtParameters memory given) private returns (bytes32 salt) {
        salt = _nextSalt();
        windows.wire(_addressOf(salt, IStakingHooks(address(windows)), given));
    }

    function _accept(CourtParameters memory given) private {
        new Court{salt: _wire(given)}(IStakingHooks(address(windows)), randomness, given);
    }

    function _refuse(CourtParameters memory given, string memory name) private {
        bytes32 salt = _wire(given);
        vm.expectRevert(abi.encodeWithSelector(ICourt.ParameterInvalid.selector, name));
        new Court{salt: salt}(IStakingHooks(address(windows)), randomness, given);
    }

    function _refuseSeats(uint256 first, uint256 second, uint256 third) private {
        CourtParameters memory given = _public();
        given.seats = [first, second, third];
        _refuse(given, "seats");
    }
}
