<#
.SYNOPSIS
Makes this Windows machine a server of a Strongroom space.

.DESCRIPTION
Fetches the agent, checks its SHA-256, joins with the one-time token, and runs the agent as SYSTEM at every start. The
hash comes with the join command: whatever stands between this machine and the control plane cannot give it another
agent. The private key is made here, never leaves, and only SYSTEM and administrators can read it. Needs an elevated
session, Python 3.9 or newer installed for all users, and the OpenSSH client of Windows.

.PARAMETER Url
The control plane, as the join command names it.

.PARAMETER Token
The one-time token of the join command.

.PARAMETER Sha256
The SHA-256 of the agent, from the join command.

.PARAMETER User
Local or domain users who get credentials besides administrators.

.PARAMETER Group
Groups whose members do.

.PARAMETER Again
Replaces the identity that this machine has.

.EXAMPLE
& ([scriptblock]::Create((Invoke-RestMethod -Uri 'URL/api/v1/agent/install.ps1'))) -Url URL -Token TOKEN -Sha256 HASH
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [Parameter(Mandatory = $true)]
    [ValidatePattern('^https?://\S+$')]
    [string] $Url,

    [Parameter(Mandatory = $true)]
    [string] $Token,

    [Parameter(Mandatory = $true)]
    [ValidatePattern('^[0-9a-fA-F]{64}$')]
    [string] $Sha256,

    [string[]] $User = @(),

    [string[]] $Group = @(),

    [switch] $Again
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

function Assert-Administrator {
    <#
    .SYNOPSIS
    Refuses a session that is not elevated.
    #>
    [CmdletBinding()]
    param()

    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity
    if (-not $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'This needs an elevated session. Start PowerShell with "Run as administrator" and paste the line again.'
    }
}

function Test-Protected {
    <#
    .SYNOPSIS
    Whether only SYSTEM, administrators and TrustedInstaller can change a file or folder.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $LiteralPath
    )

    $trusted = @(
        'S-1-5-18', 'S-1-5-32-544', 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
    )
    $changing = 0x2 -bor 0x4 -bor 0x40 -bor 0x10000 -bor 0x40000 -bor 0x80000 -bor 0x10000000 -bor 0x40000000
    $inheritOnly = [System.Security.AccessControl.PropagationFlags]::InheritOnly
    $sid = [System.Security.Principal.SecurityIdentifier]
    $acl = Get-Acl -LiteralPath $LiteralPath
    if ($trusted -notcontains $acl.GetOwner($sid).Value) {
        return $false
    }
    foreach ($rule in $acl.GetAccessRules($true, $true, $sid)) {
        $isAllowed = $rule.AccessControlType -eq [System.Security.AccessControl.AccessControlType]::Allow
        $isHere = ($rule.PropagationFlags -band $inheritOnly) -eq 0
        $mayChange = ([int] $rule.FileSystemRights -band $changing) -ne 0
        if ($isAllowed -and $isHere -and $mayChange -and ($trusted -notcontains $rule.IdentityReference.Value)) {
            return $false
        }
    }
    $true
}

function Find-Python {
    <#
    .SYNOPSIS
    A python.exe from 3.9 on that only administrators can change: SYSTEM runs it.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()

    $wayOut = 'Install it for all users, below Program Files: https://www.python.org/downloads/windows/'
    $named = @(Get-Command -Name 'python.exe' -CommandType Application -All -ErrorAction SilentlyContinue |
            ForEach-Object -Process { $_.Path })
    $folders = @(Get-ChildItem -Path (Join-Path -Path $env:ProgramFiles -ChildPath 'Python3*') -Directory |
            ForEach-Object -Process { Join-Path -Path $_.FullName -ChildPath 'python.exe' })
    $unprotected = @()
    foreach ($path in ($folders + $named)) {
        # Below WindowsApps lie stubs that open the Store.
        if (($path -like '*\WindowsApps\*') -or -not (Test-Path -LiteralPath $path -PathType Leaf)) { continue }
        & $path -I -c 'import sys; sys.exit(sys.version_info < (3, 9))'
        if ($LASTEXITCODE -ne 0) { continue }
        if ((Test-Protected -LiteralPath $path) -and (Test-Protected -LiteralPath (Split-Path -Path $path -Parent))) {
            return $path
        }
        $unprotected += $path
    }
    if ($unprotected.Count -gt 0) {
        throw "SYSTEM would run $($unprotected[0]), which others than administrators can change. $wayOut"
    }
    throw "Python 3.9 or newer is missing. $wayOut"
}

function Assert-SshKeygen {
    <#
    .SYNOPSIS
    Refuses where OpenSSH's ssh-keygen.exe is missing: the agent signs with it.
    #>
    [CmdletBinding()]
    param()

    $path = Join-Path -Path $env:SystemRoot -ChildPath 'System32\OpenSSH\ssh-keygen.exe'
    if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
        throw ("ssh-keygen.exe is missing, with which the agent signs. Install OpenSSH's client: " +
            "Add-WindowsCapability -Online -Name 'OpenSSH.Client~~~~0.0.1.0'")
    }
}

function Protect-StateFolder {
    <#
    .SYNOPSIS
    The folder of the agent, which only SYSTEM and administrators can open; refuses one that others prepared.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $LiteralPath
    )

    if (-not (Test-Path -LiteralPath $LiteralPath)) {
        $null = [System.IO.Directory]::CreateDirectory($LiteralPath)
        $icacls = Join-Path -Path $env:SystemRoot -ChildPath 'System32\icacls.exe'
        $null = & $icacls $LiteralPath /setowner '*S-1-5-32-544'
        $null = & $icacls $LiteralPath /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F'
    }
    if (-not (Test-Protected -LiteralPath $LiteralPath)) {
        throw "$LiteralPath can be changed by others than administrators. Look at it, remove it, and start again."
    }
}

function Receive-Agent {
    <#
    .SYNOPSIS
    Fetches the agent into a folder and keeps it only if its SHA-256 is the one of the join command.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Url,

        [Parameter(Mandatory = $true)]
        [string] $Hash,

        [Parameter(Mandatory = $true)]
        [string] $Folder
    )

    $fresh = Join-Path -Path $Folder -ChildPath 'strongroom.pyz.new'
    [System.Net.ServicePointManager]::SecurityProtocol =
    [System.Net.ServicePointManager]::SecurityProtocol -bor [System.Net.SecurityProtocolType]::Tls12
    Invoke-WebRequest -Uri "$Url/api/v1/agent/strongroom.pyz" -OutFile $fresh -UseBasicParsing
    $found = (Get-FileHash -LiteralPath $fresh -Algorithm SHA256).Hash
    if ($found -ne $Hash) {
        Remove-Item -LiteralPath $fresh -Force
        throw ("The agent that came has the SHA-256 $found, not $Hash as the join command says: it was not " +
            'installed. Get a new join command (Strongroom may have been updated). If it happens again, somebody ' +
            'stands between.')
    }
    $path = Join-Path -Path $Folder -ChildPath 'strongroom.pyz'
    Move-Item -LiteralPath $fresh -Destination $path -Force
    $path
}

function Install-DriveModule {
    <#
    .SYNOPSIS
    Puts the module with New-S3RcloneDrive, which the agent's file carries, where PowerShell finds it.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Python,

        [Parameter(Mandatory = $true)]
        [string] $Agent
    )

    $unpacked = Join-Path -Path (Split-Path -Path $Agent -Parent) -ChildPath 'unpacked'
    & $Python -I -m zipfile -e $Agent $unpacked
    if ($LASTEXITCODE -ne 0) {
        throw "$Agent cannot be unpacked. Paste the line again."
    }
    $module = Join-Path -Path $unpacked -ChildPath 'powershell\Strongroom'
    if (Test-Path -LiteralPath $module) {
        $modules = Join-Path -Path $env:ProgramFiles -ChildPath 'WindowsPowerShell\Modules'
        Copy-Item -LiteralPath $module -Destination $modules -Recurse -Force
    }
    else {
        Write-Warning -Message 'This control plane carries no module for drives; the guide says where it is.'
    }
    Remove-Item -LiteralPath $unpacked -Recurse -Force
}

function Register-AgentTask {
    <#
    .SYNOPSIS
    Runs the agent as SYSTEM at every start of Windows, and starts it anew when it ends.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Python,

        [Parameter(Mandatory = $true)]
        [string] $Agent,

        [Parameter(Mandatory = $true)]
        [string] $Log
    )

    $shell = Join-Path -Path $env:SystemRoot -ChildPath 'System32\cmd.exe'
    $arguments = '/d /c ""{0}" -I -S "{1}" run >> "{2}" 2>&1"' -f $Python, $Agent, $Log
    $task = @{
        TaskName    = 'Strongroom agent'
        Description = 'Credentials and drives of this server of a Strongroom space.'
        Action      = New-ScheduledTaskAction -Execute $shell -Argument $arguments
        Trigger     = New-ScheduledTaskTrigger -AtStartup
        Principal   = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
        Settings    = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries `
            -StartWhenAvailable -MultipleInstances IgnoreNew -ExecutionTimeLimit ([System.TimeSpan]::Zero) `
            -RestartCount 999 -RestartInterval ([System.TimeSpan]::FromMinutes(1))
    }
    $null = Register-ScheduledTask @task -Force
    Stop-ScheduledTask -TaskName $task.TaskName
    Start-ScheduledTask -TaskName $task.TaskName
}

function Register-Command {
    <#
    .SYNOPSIS
    Makes `strongroom` a command, and tells AWS tools where this server's credentials are.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Python,

        [Parameter(Mandatory = $true)]
        [string] $Agent,

        [Parameter(Mandatory = $true)]
        [string] $TokenFile
    )

    $folder = Split-Path -Path $Agent -Parent
    $lines = @('@echo off', ('"{0}" -I -S "{1}" %*' -f $Python, $Agent))
    [System.IO.File]::WriteAllLines((Join-Path -Path $folder -ChildPath 'strongroom.cmd'), $lines)
    $path = [System.Environment]::GetEnvironmentVariable('Path', 'Machine')
    if (($path -split ';') -notcontains $folder) {
        [System.Environment]::SetEnvironmentVariable('Path', "$path;$folder", 'Machine')
    }
    $told = @{
        AWS_CONTAINER_CREDENTIALS_FULL_URI     = 'http://127.0.0.1:9911/credentials'
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = $TokenFile
    }
    foreach ($name in $told.Keys) {
        [System.Environment]::SetEnvironmentVariable($name, $told[$name], 'Machine')
    }
}

Assert-Administrator
Assert-SshKeygen
$python = Find-Python
if (-not $PSCmdlet.ShouldProcess($env:COMPUTERNAME, "Join $Url")) {
    return
}
$state = Join-Path -Path $env:ProgramData -ChildPath 'Strongroom'
Protect-StateFolder -LiteralPath $state
$null = [System.IO.Directory]::CreateDirectory((Join-Path -Path $state -ChildPath 'logs'))
$programs = Join-Path -Path $env:ProgramFiles -ChildPath 'Strongroom'
$null = [System.IO.Directory]::CreateDirectory($programs)
$agent = Receive-Agent -Url ($Url.TrimEnd('/')) -Hash $Sha256 -Folder $programs

$words = @('-I', '-S', $agent, 'join', $Url, '--token', '-')
foreach ($name in $User) { $words += @('--user', $name) }
foreach ($name in $Group) { $words += @('--group', $name) }
if ($Again) { $words += '--again' }
# The token on standard input, where no list of processes shows it.
$Token | & $python $words
if ($LASTEXITCODE -ne 0) {
    throw 'The machine did not join; the line above says why. Nothing was started.'
}
Install-DriveModule -Python $python -Agent $agent
Register-Command -Python $python -Agent $agent -TokenFile (Join-Path -Path $state -ChildPath 'state\credentials-token')
Register-AgentTask -Python $python -Agent $agent -Log (Join-Path -Path $state -ChildPath 'logs\agent.log')
Write-Output -InputObject 'The agent runs, and will at every start. In a new terminal, look at it: strongroom status'
