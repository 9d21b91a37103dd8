// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BlockhashRandomness} from "../src/BlockhashRandomness.sol";
import {Court} from "../src/Court.sol";
import {DrandRandomness} from "../src/DrandRandomness.sol";
import {Epochs} from "../src/Epochs.sol";
import {Payments} from "../src/Payments.sol";
import {Staking} from "../src/Staking.sol";
import {CourtParameters} from "../src/interfaces/ICourt.sol";
import {IRandomness} from "../src/interfaces/IRandomness.sol";
import {StakingParameters} from "../src/interfaces/IStaking.sol";

/// @dev The cheatcodes that the script needs.
interface ScriptVm {
    function envOr(string calldata name, uint256 fallback_) external view returns (uint256);
    function envOr(string calldata name, string calldata fallback_) external view returns (string memory);
    function envOr(string calldata name, string calldata delimiter, uint256[] calldata fallback_)
        external
        view
        returns (uint256[] memory);
    function startBroadcast() external;
    function startBroadcast(uint256 privateKey) external;
    function stopBroadcast() external;
    function readCallers() external view returns (uint8 mode, address sender, address origin);
    function getNonce(address account) external view returns (uint64);
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function rpc(string calldata method, string calldata params) external returns (bytes memory);
    function toString(address value) external pure returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
}

/// @title Deploy
/// @notice Deploys the five contracts of a network, as `cuckoo deploy` does, for whoever works with Foundry.
///
///     export FOUNDRY_VIA_IR=true
///     forge script contracts/script/Deploy.s.sol --rpc-url <url> --broadcast --slow --account <name> --password-file <file>
///     forge script contracts/script/Deploy.s.sol --rpc-url <url> --sig 'verify(address)' <staking>
///
/// The IR pipeline keeps `Staking` below the limit of 24,576 bytes, and makes the code that `cuckoo` deploys and verifies.
/// Who sends: Foundry's keystore (`--account`), an unlocked account of the node (`--unlocked --sender <address>`), or the key in
/// `CUCKOO_PRIVATE_KEY`. No key belongs on the command line. The rest comes from the environment too: `CUCKOO_NETWORK` (name),
/// `CUCKOO_RANDOMNESS` (drand, or blockhash on 31337), `CUCKOO_RPC_URL` (for the deployment file, which is made to be published: no
/// secrets), and each window by its name (`CUCKOO_THAW_SECONDS` ..., `CUCKOO_JUROR_FEE_WEI`, `CUCKOO_SEATS=7,15,63`); the defaults
/// are those of public chains. It prints the deployment file, one line of JSON, under "Logs": `| grep '{"network"' > mine.json`.
///
/// `--slow` sends one transaction after the other, so that none can take another's nonce. The addresses of what comes later are
/// immutables of what comes first, and each constructor checks them: a wrong nonce ends in a revert.
contract Deploy {
    error TransactionPending(address deployer);
    error AddressUnexpected(string name, address found, address expected);
    error ValueUnexpected(string name, uint256 found, uint256 expected);
    error RandomnessUnknown(string kind);
    error SeatsInvalid();

    struct Network {
        Staking staking;
        Payments payments;
        Court court;
        Epochs epochs;
        address randomness;
    }

    ScriptVm private constant vm = ScriptVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev drand's evmnet, as in src/chain/drandEvmnet.ts: test/chain/deployScript.test.ts compares them.
    uint64 private constant DRAND_GENESIS = 1_727_521_075;
    uint64 private constant DRAND_PERIOD = 3;

    function run() external returns (Network memory network) {
        uint256 key = vm.envOr("CUCKOO_PRIVATE_KEY", uint256(0));
        if (key == 0) vm.startBroadcast();
        else vm.startBroadcast(key);
        (, address deployer,) = vm.readCallers();
        uint256 nonce = vm.getNonce(deployer);
        if (_number(vm.rpc("eth_getTransactionCount", _params(deployer, "pending"))) != nonce) {
            revert TransactionPending(deployer);
        }
        uint256 deploymentBlock = _number(vm.rpc("eth_blockNumber", "[]"));

        network.randomness = _isDrand() ? address(_drand()) : address(new BlockhashRandomness());
        network.staking = new Staking(
            StakingParameters({
                thawSeconds: _seconds("THAW", 7 days),
                epochSeconds: _seconds("EPOCH", 2 days),
                rewardSeconds: _seconds("REWARD", 7 days),
                dripSeconds: _seconds("DRIP", 1 days),
                freezeSeconds: _seconds("FREEZE", 4 days + 14 hours),
                payments: vm.computeCreateAddress(deployer, nonce + 2),
                court: vm.computeCreateAddress(deployer, nonce + 3),
                epochs: vm.computeCreateAddress(deployer, nonce + 4)
            })
        );
        network.payments = new Payments(network.staking, _seconds("TOP_UP", 3 days));
        network.court = new Court(network.staking, IRandomness(network.randomness), _courtParameters());
        network.epochs = new Epochs(network.staking, _seconds("DRAW", 1 hours), _seconds("GRACE", 1 hours));
        vm.stopBroadcast();

        verify(network.staking);
        _print(_toJson(network, deploymentBlock));
    }

    /// @notice Reads everything back, from the chain when it is called for itself, and reverts with the first thing that is not
    /// what the environment says.
    function verify(Staking staking) public view {
        Payments payments = Payments(staking.payments());
        Court court = Court(payable(staking.court()));
        Epochs epochs = Epochs(staking.epochs());
        _same("payments.staking", address(payments.staking()), address(staking));
        _same("court.staking", address(court.staking()), address(staking));
        _same("epochs.staking", address(epochs.staking()), address(staking));
        if (_isDrand()) _verifyBeacon(DrandRandomness(court.randomness()));

        _same("thawSeconds", staking.thawSeconds(), _seconds("THAW", 7 days));
        _same("epochSeconds", staking.epochSeconds(), _seconds("EPOCH", 2 days));
        _same("rewardSeconds", staking.rewardSeconds(), _seconds("REWARD", 7 days));
        _same("dripSeconds", staking.dripSeconds(), _seconds("DRIP", 1 days));
        _same("freezeSeconds", staking.freezeSeconds(), _seconds("FREEZE", 4 days + 14 hours));
        _same("topUpSeconds", payments.topUpSeconds(), _seconds("TOP_UP", 3 days));
        _same("drawSeconds", epochs.drawSeconds(), _seconds("DRAW", 1 hours));
        _same("graceSeconds", epochs.graceSeconds(), _seconds("GRACE", 1 hours));
        CourtParameters memory expected = _courtParameters();
        _same("evidenceSeconds", court.evidenceSeconds(), expected.evidenceSeconds);
        _same("sealSeconds", court.sealSeconds(), expected.sealSeconds);
        _same("commitSeconds", court.commitSeconds(), expected.commitSeconds);
        _same("revealSeconds", court.revealSeconds(), expected.revealSeconds);
        _same("appealSeconds", court.appealSeconds(), expected.appealSeconds);
        _same("jailSeconds", court.jailSeconds(), expected.jailSeconds);
        _same("jurorFeeWei", court.jurorFeeWei(), expected.jurorFeeWei);
        for (uint8 i = 0; i < 3; ++i) {
            _same("seats", court.seats(i), expected.seats[i]);
        }
    }

    // ---- parameters ----

    function _courtParameters() private view returns (CourtParameters memory) {
        uint256[] memory seats = new uint256[](3);
        (seats[0], seats[1], seats[2]) = (7, 15, 63);
        seats = vm.envOr("CUCKOO_SEATS", ",", seats);
        if (seats.length != 3) revert SeatsInvalid();
        return CourtParameters({
            evidenceSeconds: _seconds("EVIDENCE", 2 days),
            sealSeconds: _seconds("SEAL", 10 minutes),
            commitSeconds: _seconds("COMMIT", 12 hours),
            revealSeconds: _seconds("REVEAL", 12 hours),
            appealSeconds: _seconds("APPEAL", 12 hours),
            jailSeconds: _seconds("JAIL", 7 days),
            jurorFeeWei: vm.envOr("CUCKOO_JUROR_FEE_WEI", uint256(5 ether)),
            seats: [seats[0], seats[1], seats[2]]
        });
    }

    function _seconds(string memory name, uint256 fallback_) private view returns (uint64) {
        return uint64(vm.envOr(string.concat("CUCKOO_", name, "_SECONDS"), fallback_));
    }

    function _isDrand() private view returns (bool) {
        string memory kind = vm.envOr("CUCKOO_RANDOMNESS", string("drand"));
        bool drand = _equal(kind, "drand");
        if (!drand && !_equal(kind, "blockhash")) revert RandomnessUnknown(kind);
        return drand;
    }

    function _drand() private returns (DrandRandomness) {
        return new DrandRandomness(_drandKey(), DRAND_GENESIS, DRAND_PERIOD);
    }

    function _drandKey() private pure returns (uint256[4] memory) {
        return [
            0x07e1d1d335df83fa98462005690372c643340060d205306a9aa8106b6bd0b382,
            0x0557ec32c2ad488e4d4f6008f89a346f18492092ccc0d594610de2732c8b808f,
            0x0095685ae3a85ba243747b1b2f426049010f6b73a0cf1d389351d5aaaa1047f6,
            0x297d3a4f9749b33eb2d904c9d9ebf17224150ddd7abd7567a9bec6c74480ee0b
        ];
    }

    // ---- checks ----

    function _verifyBeacon(DrandRandomness beacon) private view {
        (uint256[4] memory found, uint256[4] memory expected) = (beacon.groupKey(), _drandKey());
        for (uint256 i = 0; i < 4; ++i) {
            _same("groupKey", found[i], expected[i]);
        }
        _same("genesisAt", beacon.genesisAt(), DRAND_GENESIS);
        _same("periodSeconds", beacon.periodSeconds(), DRAND_PERIOD);
    }

    function _same(string memory name, address found, address expected) private pure {
        if (found != expected) revert AddressUnexpected(name, found, expected);
    }

    function _same(string memory name, uint256 found, uint256 expected) private pure {
        if (found != expected) revert ValueUnexpected(name, found, expected);
    }

    function _equal(string memory left, string memory right) private pure returns (bool) {
        return keccak256(bytes(left)) == keccak256(bytes(right));
    }

    // ---- the deployment file ----

    /// @dev What `cuckoo --deployment` reads: src/chain/deployment.ts.
    function _toJson(Network memory network, uint256 deploymentBlock) private view returns (string memory) {
        string memory contracts = string.concat(
            _field("staking", address(network.staking)),
            ",",
            _field("payments", address(network.payments)),
            ",",
            _field("court", address(network.court)),
            ",",
            _field("epochs", address(network.epochs)),
            ",",
            _field("randomness", network.randomness)
        );
        return string.concat(
            '{"network":"',
            vm.envOr("CUCKOO_NETWORK", string("mine")),
            '","chainId":',
            vm.toString(block.chainid),
            ',"contracts":{',
            contracts,
            '},"randomness":"',
            _isDrand() ? "drand" : "blockhash",
            '","deploymentBlock":',
            vm.toString(deploymentBlock),
            ',"rpcUrls":[',
            _rpcUrls(),
            "]}\n"
        );
    }

    /// @dev Forge's console.
    function _print(string memory line) private view {
        (bool printed,) =
            address(0x000000000000000000636F6e736F6c652e6c6f67).staticcall(abi.encodeWithSignature("log(string)", line));
        assert(printed);
    }

    function _field(string memory name, address value) private pure returns (string memory) {
        return string.concat('"', name, '":"', vm.toString(value), '"');
    }

    function _rpcUrls() private view returns (string memory) {
        string memory url = vm.envOr("CUCKOO_RPC_URL", string(""));
        return bytes(url).length == 0 ? "" : string.concat('"', url, '"');
    }

    function _params(address account, string memory tag) private pure returns (string memory) {
        return string.concat('["', vm.toString(account), '","', tag, '"]');
    }

    /// @dev A JSON-RPC quantity, as the cheatcode gives it: bytes without leading zeros.
    function _number(bytes memory answer) private pure returns (uint256 value) {
        for (uint256 i = 0; i < answer.length; ++i) {
            value = value << 8 | uint8(answer[i]);
        }
    }
}
