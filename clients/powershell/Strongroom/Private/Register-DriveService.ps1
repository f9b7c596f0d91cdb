function Register-DriveService {
    <#
    .SYNOPSIS
    Makes the Windows service that is the drive: it runs as SYSTEM, at every start, before anybody signs in.
    .NOTES
    A drive made by SYSTEM is seen by everybody; one made by an administrator only by that sign-in.
    Source: rclone mount, "Windows caveats"; rclone install, "Mount command built-in service integration".
    The value Environment is what the service control manager adds to the environment of the service.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name,

        [Parameter(Mandatory = $true)]
        [string] $DisplayName,

        [Parameter(Mandatory = $true)]
        [string[]] $CommandLine,

        [Parameter(Mandatory = $true)]
        [string[]] $Environment
    )

    $null = New-Service -Name $Name -DisplayName $DisplayName -StartupType Automatic `
        -Description 'A data set of Strongroom as a drive, by rclone and WinFsp. Remove-S3RcloneDrive removes it.' `
        -BinaryPathName (ConvertTo-CommandLine -Word $CommandLine)
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Name"
    $null = New-ItemProperty -LiteralPath $key -Name 'Environment' -PropertyType MultiString -Value $Environment -Force
    $control = Join-Path -Path $env:SystemRoot -ChildPath 'System32\sc.exe'
    $restart = @('failure', $Name, 'reset=', '3600', 'actions=', 'restart/5000/restart/15000/restart/60000')
    foreach ($words in @($restart, @('failureflag', $Name, '1'))) {
        $said = Invoke-Program -LiteralPath $control -Argument $words
        if ($said.ExitCode -ne 0) {
            throw (ConvertTo-DriveError -Id 'ServiceRefused' -Category 'InvalidResult' -Target $Name -Message (
                    "The service $Name cannot be told to start again after a failure: $($said.Output)") -WayOut (
                    'Look at the services of this server with: Get-Service -Name Strongroom*'))
        }
    }
}
